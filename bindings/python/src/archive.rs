//! Archives: created, opened, closed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use archive_core::{Actor, ArchiveKeys, CreateOptions, OpenOptions, Secret};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::calling::{Cancel, Follow, is_serving, run};
use crate::error::{OrRaise, exception, misuse, options, to_json};
use crate::keys::Key;
use crate::session::Session;
use crate::stream::Streams;

/// How an archive is opened, as the Python side writes it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    memory: Option<u64>,
    index: bool,
    container_limit: Option<u64>,
    mapped_reads: bool,
    read_only: bool,
}

impl Opening {
    fn of_core(&self) -> OpenOptions {
        let mut options = OpenOptions::default().index(self.index).mapped_reads(self.mapped_reads).read_only(self.read_only);
        if let Some(memory) = self.memory {
            options = options.memory(memory);
        }
        if let Some(limit) = self.container_limit {
            options = options.container_limit(limit);
        }
        options
    }
}

/// An open archive.
#[pyclass(frozen, module = "mailkeep._native")]
pub(crate) struct Archive {
    /// `None` only while it is dropped.
    archive: Option<archive_core::Archive>,
    streams: Arc<Streams>,
    /// The last freeze, which closing ends.
    frozen: Mutex<Arc<Freeze>>,
}

/// A freeze until it is thawed.
type Freeze = Mutex<Option<archive_core::Frozen>>;

/// An archive that does not change.
#[pyclass(frozen, module = "mailkeep._native")]
pub(crate) struct Frozen {
    freeze: Arc<Freeze>,
    is_thawed: AtomicBool,
}

#[pymethods]
impl Frozen {
    /// Whether nothing had changed until now.
    fn thaw(&self, py: Python<'_>) -> PyResult<bool> {
        let frozen = taken(&self.freeze).ok_or_else(|| match self.is_thawed.load(Ordering::Relaxed) {
            true => misuse(py, "this freeze was used up by thaw or the end of its context; freeze the archive again"),
            // Closing ended it.
            false => exception(py, &archive_core::Error::Closed),
        })?;
        self.is_thawed.store(true, Ordering::Relaxed);
        Ok(frozen.thaw())
    }

    /// Thaws, if it was not thawed.
    fn release(&self) {
        if let Some(frozen) = taken(&self.freeze) {
            self.is_thawed.store(true, Ordering::Relaxed);
            drop(frozen);
        }
    }
}

/// A creation that was committed or given up.
fn spent(py: Python<'_>) -> PyErr {
    misuse(py, "this creation of an archive was used up by commit or discard; begin a new one")
}

fn taken(freeze: &Freeze) -> Option<archive_core::Frozen> {
    freeze.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Archive {
    fn new(archive: archive_core::Archive) -> Self {
        Self { archive: Some(archive), streams: Arc::default(), frozen: Mutex::default() }
    }

    fn core(&self, py: Python<'_>) -> PyResult<&archive_core::Archive> {
        self.archive.as_ref().ok_or_else(|| exception(py, &archive_core::Error::Closed))
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let archive = self.archive.take();
        // The last handle waits for the archive's threads.
        let _finalizing = Python::try_attach(|py| py.detach(move || drop(archive)));
    }
}

#[pymethods]
impl Archive {
    fn id(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.core(py)?.id().to_string())
    }

    fn owner(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.core(py)?.owner())
    }

    fn path(&self, py: Python<'_>) -> PyResult<PathBuf> {
        Ok(self.core(py)?.dir().to_owned())
    }

    fn damage(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.core(py)?.damage().map(to_json))
    }

    fn barred(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        Ok(self.core(py)?.barred().map(|error| exception(py, error).into_value(py).into_any()))
    }

    fn notices(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        Ok(self.core(py)?.notices().iter().map(|error| exception(py, error).into_value(py).into_any()).collect())
    }

    fn recovered(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.core(py)?.recovered().map(|recovered| to_json(&recovered)))
    }

    /// A session for the user of this JSON form, or for the system.
    #[pyo3(signature = (user, /))]
    fn session(&self, py: Python<'_>, user: Option<&Bound<'_, PyAny>>) -> PyResult<Session> {
        let actor = match user {
            None => Actor::System,
            Some(user) => Actor::User(options(py, &user.extract::<String>()?)?),
        };
        Ok(Session::new(self.core(py)?.session(actor), Arc::clone(&self.streams)))
    }

    #[pyo3(signature = (progress, cancel, /))]
    fn close(&self, py: Python<'_>, progress: Option<Py<PyAny>>, cancel: Option<Py<Cancel>>) -> PyResult<()> {
        if is_serving() {
            return Err(misuse(py, "an archive cannot be closed by a function that a call runs; close it after the call"));
        }
        let (archive, streams) = (self.core(py)?.clone(), Arc::clone(&self.streams));
        // Closing would wait until it is over.
        drop(taken(&self.frozen.lock().unwrap_or_else(PoisonError::into_inner)));
        run(py, Follow::new(progress, cancel), move |caller| {
            streams.end_all();
            archive.close_with(&caller.progress)
        })
    }

    fn read_only(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.core(py)?.is_read_only())
    }

    fn lags(&self, py: Python<'_>) -> PyResult<bool> {
        self.core(py)?.lags().or_raise(py)
    }

    fn refresh(&self, py: Python<'_>) -> PyResult<()> {
        let archive = self.core(py)?;
        py.detach(|| archive.refresh()).or_raise(py)
    }

    fn mark(&self, py: Python<'_>) -> PyResult<()> {
        let archive = self.core(py)?;
        py.detach(|| archive.mark()).or_raise(py)
    }

    #[pyo3(signature = (seconds, /))]
    fn freeze(&self, py: Python<'_>, seconds: f64) -> PyResult<Frozen> {
        let max = Duration::try_from_secs_f64(seconds).map_err(|_| PyValueError::new_err(format!("{seconds} is no number of seconds")))?;
        let archive = self.core(py)?;
        let frozen = Arc::new(Mutex::new(Some(py.detach(|| archive.freeze(max)).or_raise(py)?)));
        *self.frozen.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&frozen);
        Ok(Frozen { freeze: frozen, is_thawed: AtomicBool::new(false) })
    }

    /// Whether a path is one of the archive's own folder, or in it.
    #[pyo3(signature = (path, /))]
    fn holds(&self, py: Python<'_>, path: PathBuf) -> PyResult<bool> {
        let archive = self.core(py)?;
        Ok(py.detach(|| archive.holds(&path)))
    }

    fn key_status(&self, py: Python<'_>) -> PyResult<String> {
        let archive = self.core(py)?;
        py.detach(|| archive.key_status().map(|status| to_json(&status))).or_raise(py)
    }

    #[pyo3(signature = (passphrase, /))]
    fn add_passphrase(&self, py: Python<'_>, passphrase: String) -> PyResult<String> {
        let (archive, passphrase) = (self.core(py)?, Secret::from(passphrase));
        py.detach(|| archive.add_passphrase(passphrase.text()).map(|slot| to_json(&slot))).or_raise(py)
    }

    #[pyo3(signature = (slot, /))]
    fn remove_passphrase(&self, py: Python<'_>, slot: String) -> PyResult<()> {
        let archive = self.core(py)?;
        py.detach(|| archive.remove_passphrase(&slot)).or_raise(py)
    }

    #[pyo3(signature = (key, /))]
    fn confirm_recovery(&self, py: Python<'_>, key: &Key) -> PyResult<()> {
        let (archive, key) = (self.core(py)?, key.of_core());
        py.detach(|| archive.confirm_recovery(&key)).or_raise(py)
    }
}

/// An archive that is not on disk yet.
#[pyclass(frozen, module = "mailkeep._native")]
pub(crate) struct NewArchive {
    new: Mutex<Option<archive_core::NewArchive>>,
    /// The commit of one whose keys nobody has would use it up.
    are_keys_known: AtomicBool,
}

impl NewArchive {
    fn with<T>(&self, py: Python<'_>, of: impl FnOnce(&archive_core::NewArchive) -> T) -> PyResult<T> {
        let new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        new.as_ref().map(of).ok_or_else(|| spent(py))
    }

    fn with_keys<T>(&self, py: Python<'_>, of: impl FnOnce(&ArchiveKeys) -> T) -> PyResult<T> {
        self.are_keys_known.store(true, Ordering::Relaxed);
        self.with(py, |new| of(new.keys()))
    }
}

#[pymethods]
impl NewArchive {
    fn id(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |new| new.id().to_string())
    }

    fn recovery_key(&self, py: Python<'_>) -> PyResult<String> {
        self.with_keys(py, |keys| keys.recovery.text().to_owned())
    }

    fn key_file(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.with_keys(py, |keys| keys.key_file.as_ref().map(|key| key.text().to_owned()))
    }

    fn commit(&self, py: Python<'_>) -> PyResult<Archive> {
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        if new.is_some() && !self.are_keys_known.load(Ordering::Relaxed) {
            return Err(misuse(py, "the keys of the new archive were not asked for; keep them, then commit"));
        }
        let taken = new.take();
        drop(new);
        let new = taken.ok_or_else(|| spent(py))?;
        py.detach(|| new.commit().map(Archive::new)).or_raise(py)
    }

    /// Gives the creation up, and releases the folder.
    fn discard(&self, py: Python<'_>) {
        let new = self.new.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(new));
    }
}

#[pyfunction]
#[pyo3(signature = (path, owner, passphrase, key_file, opening, /))]
pub(crate) fn create(
    py: Python<'_>,
    path: PathBuf,
    owner: String,
    passphrase: Option<String>,
    key_file: bool,
    opening: String,
) -> PyResult<NewArchive> {
    let opening: Opening = options(py, &opening)?;
    let mut created = CreateOptions::new(&owner).key_file(key_file).open_options(opening.of_core());
    if let Some(passphrase) = passphrase.map(Secret::from) {
        created = created.passphrase(passphrase.text());
    }
    let new = py.detach(|| archive_core::Archive::create(&path, created)).or_raise(py)?;
    Ok(NewArchive { new: Mutex::new(Some(new)), are_keys_known: AtomicBool::new(false) })
}

#[pyfunction]
#[pyo3(signature = (path, key, opening, progress, cancel, /))]
pub(crate) fn open(
    py: Python<'_>,
    path: PathBuf,
    key: &Key,
    opening: String,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<Cancel>>,
) -> PyResult<Archive> {
    let (opening, key): (Opening, _) = (options(py, &opening)?, key.of_core());
    run(py, Follow::new(progress, cancel), move |caller| {
        archive_core::Archive::open(&path, &key, opening.of_core().progress(&caller.progress)).map(Archive::new)
    })
}

#[pyfunction]
#[pyo3(signature = (path, key, /))]
pub(crate) fn test_key(py: Python<'_>, path: PathBuf, key: &Key) -> PyResult<String> {
    let key = key.of_core();
    py.detach(|| archive_core::Archive::test_key(&path, &key).map(|slot| to_json(&slot))).or_raise(py)
}

#[pyfunction]
#[pyo3(signature = (path, /))]
pub(crate) fn id_of(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    py.detach(|| archive_core::Archive::id_of(&path).map(|id| id.to_string())).or_raise(py)
}

#[pyfunction]
#[pyo3(signature = (path, /))]
pub(crate) fn opens_with(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    py.detach(|| archive_core::Archive::opens_with(&path)).or_raise(py)
}
