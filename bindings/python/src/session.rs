//! Sessions: every call that reads, searches or changes. Records and reports come as JSON, which the Python side makes
//! objects of; messages in lists and hits are objects of `message`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use archive_core::{
    AttachOptions, CompactOptions, DeleteOptions, Depth, Error, FolderOptions, IndexConfiguration, NewStore, Progress, RepairOptions,
    SearchPages, SearchRequest, StoreState, VerifyReport,
};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use serde::Serialize;

use crate::calling::{Caller, Cancel, Follow, run, run_with};
use crate::error::{OrRaise, folder_of, id_of, ids_of, misuse, to_json};
use crate::events::{Events, Functions, Source, export_options, import_options, receipt_arguments, tell_failed, tell_receipt, write};
use crate::message::{MessageInfo, found, rows};
use crate::quick::run_quick;
use crate::stream::{Stream, Streams};

/// An archive, used on behalf of the system or of a user.
#[pyclass(frozen, module = "mailkeep._native")]
pub(crate) struct Session {
    session: archive_core::Session,
    streams: Arc<Streams>,
}

type Object = Option<Py<PyAny>>;
type Ends = Option<Py<Cancel>>;
/// Messages, and where the next page begins.
type Rows<'py> = (Bound<'py, PyTuple>, Option<String>);
/// Hits, and the JSON form of the rest of the answer.
type Found<'py> = (Bound<'py, PyTuple>, String);

impl Session {
    pub(crate) fn new(session: archive_core::Session, streams: Arc<Streams>) -> Self {
        Self { session, streams }
    }

    /// A call that is soon over, and its result as JSON.
    fn short<T: Serialize>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&archive_core::Session) -> Result<T, Error> + Send,
    ) -> PyResult<String> {
        py.detach(|| work(&self.session).map(|value| to_json(&value))).or_raise(py)
    }

    /// A call that may take long.
    fn run<T: Send + 'static>(
        &self,
        py: Python<'_>,
        follow: Follow,
        work: impl FnOnce(&archive_core::Session, &Caller) -> Result<T, Error> + Send + 'static,
    ) -> PyResult<T> {
        let session = self.session.clone();
        run(py, follow, move |caller| work(&session, caller))
    }

    /// A call that may take long, and its result as JSON.
    fn long<T: Serialize>(
        &self,
        py: Python<'_>,
        progress: Object,
        cancel: Ends,
        work: impl FnOnce(&archive_core::Session, &Progress) -> Result<T, Error> + Send + 'static,
    ) -> PyResult<String> {
        self.run(py, Follow::new(progress, cancel), move |session, caller| work(session, &caller.progress).map(|value| to_json(&value)))
    }

    /// Bytes that a call passes on.
    fn bytes<'py>(
        &self,
        py: Python<'py>,
        work: impl FnOnce(&archive_core::Session, &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> + Send,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let read = py.detach(|| {
            let mut all = Vec::new();
            let mut take = |bytes: &[u8]| {
                all.extend_from_slice(bytes);
                Ok(())
            };
            work(&self.session, &mut take).map(|()| all)
        });
        Ok(PyBytes::new(py, &read.or_raise(py)?))
    }
}

/// Where the files of a store are: its folder, that of its containers, and that of its index.
type Dirs = (Option<PathBuf>, Option<PathBuf>, Option<PathBuf>);

fn dirs_of((dir, content_dir, index_dir): Dirs) -> AttachOptions {
    AttachOptions { dir, content_dir, index_dir }
}

fn state_of(py: Python<'_>, name: &str) -> PyResult<StoreState> {
    StoreState::named(name).ok_or_else(|| misuse(py, "the states of a store are current, normal, writeProtected and disabled"))
}

fn request(py: Python<'_>, json: &str) -> PyResult<SearchRequest> {
    SearchRequest::from_json(json).or_raise(py)
}

fn shared(function: Object) -> Option<Arc<Py<PyAny>>> {
    function.map(Arc::new)
}

#[pymethods]
impl Session {
    // What brings mail in.

    #[pyo3(signature = (source, name, options, progress, cancel, on_receipt, on_trouble, on_lost, /))]
    #[expect(clippy::too_many_arguments, reason = "the Python side gives all of them")]
    fn import_(
        &self,
        py: Python<'_>,
        source: Py<PyAny>,
        name: Option<String>,
        options: String,
        progress: Object,
        cancel: Ends,
        on_receipt: Object,
        on_trouble: Object,
        on_lost: Object,
    ) -> PyResult<String> {
        let (source, mut options) = (Source::new(py, source, name)?, import_options(py, &options)?);
        let functions = Functions { receipt: shared(on_receipt), trouble: shared(on_trouble), missing: None, lost: shared(on_lost) };
        self.run(py, Follow::new(progress, cancel), move |session, caller| {
            options.progress = caller.progress.clone();
            let mut events = Events { functions, caller: caller.clone() };
            source.with(caller, |source| session.import(source, &options, &mut events)).map(|report| to_json(&report))
        })
    }

    #[pyo3(signature = (mail, folder, /))]
    fn add<'py>(&self, py: Python<'py>, mail: PyBackedBytes, folder: String) -> PyResult<Bound<'py, PyAny>> {
        let folder = folder_of(py, &folder)?;
        let receipt = py.detach(|| self.session.import_one(&mail, &folder)).or_raise(py)?;
        Ok(receipt_arguments(&receipt).into_pyobject(py)?.into_any())
    }

    #[pyo3(signature = (source, name, options, /))]
    fn target(&self, py: Python<'_>, source: Py<PyAny>, name: Option<String>, options: String) -> PyResult<String> {
        let (source, options) = (Source::new(py, source, name)?, import_options(py, &options)?);
        self.run(py, Follow::default(), move |session, caller| {
            source.with(caller, |source| session.target(&source, &options)).map(|folder| folder.to_string())
        })
    }

    #[pyo3(signature = (source, name, options, progress, cancel, on_trouble, /))]
    #[expect(clippy::too_many_arguments, reason = "the Python side gives all of them")]
    fn plan(
        &self,
        py: Python<'_>,
        source: Py<PyAny>,
        name: Option<String>,
        options: String,
        progress: Object,
        cancel: Ends,
        on_trouble: Object,
    ) -> PyResult<String> {
        let (source, mut options) = (Source::new(py, source, name)?, import_options(py, &options)?);
        let functions = Functions { trouble: shared(on_trouble), ..Functions::default() };
        self.run(py, Follow::new(progress, cancel), move |session, caller| {
            options.progress = caller.progress.clone();
            let mut events = Events { functions, caller: caller.clone() };
            source.with(caller, |source| session.plan(source, &options, &mut events)).map(|plan| to_json(&plan))
        })
    }

    #[pyo3(signature = (source, name, options, progress, cancel, on_missing, on_trouble, /))]
    #[expect(clippy::too_many_arguments, reason = "the Python side gives all of them")]
    fn check(
        &self,
        py: Python<'_>,
        source: Py<PyAny>,
        name: Option<String>,
        options: String,
        progress: Object,
        cancel: Ends,
        on_missing: Object,
        on_trouble: Object,
    ) -> PyResult<String> {
        let (source, mut options) = (Source::new(py, source, name)?, import_options(py, &options)?);
        let functions = Functions { missing: shared(on_missing), trouble: shared(on_trouble), ..Functions::default() };
        self.run(py, Follow::new(progress, cancel), move |session, caller| {
            options.progress = caller.progress.clone();
            let mut events = Events { functions, caller: caller.clone() };
            source.with(caller, |source| session.check(source, &options, &mut events)).map(|report| to_json(&report))
        })
    }

    fn lost_files(&self, py: Python<'_>) -> PyResult<String> {
        self.long(py, None, None, move |session, _| session.lost_files())
    }

    #[pyo3(signature = (visit, /))]
    fn lost_mails(&self, py: Python<'_>, visit: Py<PyAny>) -> PyResult<String> {
        let visit = Arc::new(visit);
        self.run(py, Follow::default(), move |session, caller| {
            let report = session.lost_mails(&mut |mail| {
                let visit = Arc::clone(&visit);
                let visited = caller.ask(move |py| {
                    let (folder, archived) = (mail.folder.map(|folder| folder.to_string()), mail.archived.map(|id| id.to_string()));
                    let bytes = PyBytes::new(py, &mail.bytes);
                    visit.call1(py, (mail.file, mail.number, folder, mail.digest.to_string(), archived, bytes)).map(drop)
                });
                visited.map(ControlFlow::Continue).ok_or_else(|| Error::caller("the function raised an exception"))
            });
            report.map(|report| to_json(&report))
        })
    }

    #[pyo3(signature = (on_receipt, /))]
    fn import_lost(&self, py: Python<'_>, on_receipt: Object) -> PyResult<String> {
        let on_receipt = shared(on_receipt);
        self.run(py, Follow::default(), move |session, caller| {
            let report = session.import_lost(&mut |receipt| {
                if let Some(function) = &on_receipt {
                    tell_receipt(caller, function, receipt);
                }
            });
            report.map(|report| to_json(&report))
        })
    }

    // What reads mails, lists them and writes them out.

    fn folders(&self, py: Python<'_>) -> PyResult<String> {
        self.short(py, archive_core::Session::folders)
    }

    #[pyo3(signature = (folder, /))]
    fn folders_in(&self, py: Python<'_>, folder: Option<String>) -> PyResult<String> {
        let folder = folder.map(|folder| folder_of(py, &folder)).transpose()?;
        self.short(py, |session| session.folders_in(folder.as_ref()))
    }

    #[pyo3(signature = (cursor, most, /))]
    fn folders_page(&self, py: Python<'_>, cursor: Option<String>, most: usize) -> PyResult<String> {
        self.short(py, |session| session.folders_page(cursor.as_deref(), most))
    }

    #[pyo3(signature = (folder, cursor, most, /))]
    fn messages_page<'py>(&self, py: Python<'py>, folder: Option<String>, cursor: Option<String>, most: usize) -> PyResult<Rows<'py>> {
        let folder = folder.map(|folder| folder_of(py, &folder)).transpose()?;
        let page = py.detach(|| self.session.messages_page(folder.as_ref(), cursor.as_deref(), most)).or_raise(py)?;
        Ok((rows(py, page.items)?, page.cursor))
    }

    #[pyo3(signature = (id, /))]
    fn message(&self, py: Python<'_>, id: String) -> PyResult<MessageInfo> {
        let id = id_of(py, &id)?;
        py.detach(|| self.session.message(id)).or_raise(py).map(MessageInfo)
    }

    #[pyo3(signature = (id, /))]
    fn record(&self, py: Python<'_>, id: String) -> PyResult<String> {
        let id = id_of(py, &id)?;
        self.short(py, |session| session.record(id))
    }

    #[pyo3(signature = (id, /))]
    fn raw<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyBytes>> {
        let id = id_of(py, &id)?;
        let raw = py.detach(|| self.session.raw(id)).or_raise(py)?;
        Ok(PyBytes::new(py, &raw))
    }

    #[pyo3(signature = (id, /))]
    fn header<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyBytes>> {
        let id = id_of(py, &id)?;
        self.bytes(py, |session, sink| session.read_header(id, sink))
    }

    #[pyo3(signature = (id, start, stop, /))]
    fn read_range<'py>(&self, py: Python<'py>, id: String, start: u64, stop: u64) -> PyResult<Bound<'py, PyBytes>> {
        let id = id_of(py, &id)?;
        self.bytes(py, |session, sink| session.read_range(id, start..stop, sink))
    }

    #[pyo3(signature = (id, /))]
    fn parts(&self, py: Python<'_>, id: String) -> PyResult<String> {
        let id = id_of(py, &id)?;
        self.short(py, |session| session.parts(id))
    }

    #[pyo3(signature = (id, part, /))]
    fn part<'py>(&self, py: Python<'py>, id: String, part: u32) -> PyResult<Bound<'py, PyBytes>> {
        let id = id_of(py, &id)?;
        self.bytes(py, |session, sink| session.read_part(id, part, 0, sink))
    }

    #[pyo3(signature = (id, parts, /))]
    fn read_parts<'py>(&self, py: Python<'py>, id: String, parts: Vec<u32>) -> PyResult<Bound<'py, PyDict>> {
        let id = id_of(py, &id)?;
        let read = py.detach(|| {
            let mut all: Vec<(u32, Vec<u8>)> = Vec::new();
            let sink = &mut |part: u32, bytes: &[u8]| {
                match all.iter_mut().find(|(no, _)| *no == part) {
                    Some((_, read)) => read.extend_from_slice(bytes),
                    None => all.push((part, bytes.to_vec())),
                }
                Ok(())
            };
            self.session.read_parts(id, &parts, sink).map(|()| all)
        });
        let of_parts = PyDict::new(py);
        for (part, bytes) in read.or_raise(py)? {
            of_parts.set_item(part, PyBytes::new(py, &bytes))?;
        }
        Ok(of_parts)
    }

    #[pyo3(signature = (id, part, /))]
    fn stream(&self, py: Python<'_>, id: String, part: Option<u32>) -> PyResult<Stream> {
        let id = id_of(py, &id)?;
        py.detach(|| Stream::begin(&self.session, &self.streams, id, part)).or_raise(py)
    }

    #[pyo3(signature = (id, cancel, /))]
    fn thread<'py>(&self, py: Python<'py>, id: String, cancel: Ends) -> PyResult<Bound<'py, PyTuple>> {
        let id = id_of(py, &id)?;
        let thread = self.run(py, Follow::new(None, cancel), move |session, caller| session.thread(id, &caller.progress))?;
        rows(py, thread)
    }

    #[pyo3(signature = (destination, options, progress, cancel, on_failed, /))]
    fn export(
        &self,
        py: Python<'_>,
        destination: PathBuf,
        options: String,
        progress: Object,
        cancel: Ends,
        on_failed: Object,
    ) -> PyResult<String> {
        let (mut options, on_failed) = (export_options(py, &options)?, shared(on_failed));
        self.run(py, Follow::new(progress, cancel), move |session, caller| {
            options.progress = caller.progress.clone();
            let failed = &mut |id, error: &Error| tell_failed(caller, on_failed.as_ref(), id, error);
            session.export(&destination, &options, failed).map(|report| to_json(&report))
        })
    }

    #[pyo3(signature = (file, options, progress, cancel, on_failed, /))]
    fn export_mbox(
        &self,
        py: Python<'_>,
        file: Py<PyAny>,
        options: String,
        progress: Object,
        cancel: Ends,
        on_failed: Object,
    ) -> PyResult<String> {
        let (mut options, on_failed, file) = (export_options(py, &options)?, shared(on_failed), Arc::new(file));
        self.run(py, Follow::new(progress, cancel), move |session, caller| {
            options.progress = caller.progress.clone();
            let failed = &mut |id, error: &Error| tell_failed(caller, on_failed.as_ref(), id, error);
            let report = session.export_mbox(&mut |bytes| write(caller, &file, bytes), &options, failed);
            report.map(|report| to_json(&report))
        })
    }

    // What searches, and explains what was found.

    #[pyo3(signature = (json, cancel, /))]
    fn search<'py>(&self, py: Python<'py>, json: String, cancel: Ends) -> PyResult<Found<'py>> {
        let (request, session) = (request(py, &json)?, self.session.clone());
        let result = run_quick(py, cancel, move |progress| session.search(&request.clone().progress(progress)))?;
        found(py, result)
    }

    #[pyo3(signature = (json, /))]
    fn search_pages(&self, py: Python<'_>, json: String) -> PyResult<Pages> {
        let progress = Progress::new();
        let request = request(py, &json)?.progress(&progress);
        let pages = py.detach(|| self.session.search_pages(&request)).or_raise(py)?;
        Ok(Pages { pages: Arc::new(Mutex::new(pages)), progress })
    }

    #[pyo3(signature = (json, cancel, /))]
    fn explain(&self, py: Python<'_>, json: String, cancel: Ends) -> PyResult<String> {
        let request = request(py, &json)?;
        self.long(py, None, cancel, move |session, progress| session.explain(&request.progress(progress)))
    }

    #[pyo3(signature = (id, json, cancel, /))]
    fn why(&self, py: Python<'_>, id: String, json: String, cancel: Ends) -> PyResult<String> {
        let (id, request) = (id_of(py, &id)?, request(py, &json)?);
        self.long(py, None, cancel, move |session, progress| session.why(id, &request.progress(progress)))
    }

    #[pyo3(signature = (json, most, cancel, /))]
    fn undecided(&self, py: Python<'_>, json: String, most: usize, cancel: Ends) -> PyResult<String> {
        let request = request(py, &json)?;
        self.long(py, None, cancel, move |session, progress| session.undecided(&request.progress(progress), most))
    }

    // What changes folders.

    #[pyo3(signature = (path, dry_run, /))]
    fn make_folder(&self, py: Python<'_>, path: String, dry_run: bool) -> PyResult<String> {
        let path = folder_of(py, &path)?;
        self.short(py, |session| session.make_folder(&path, FolderOptions { dry_run }))
    }

    #[pyo3(signature = (path, name, dry_run, /))]
    fn rename_folder(&self, py: Python<'_>, path: String, name: String, dry_run: bool) -> PyResult<String> {
        let path = folder_of(py, &path)?;
        self.short(py, |session| session.rename_folder(&path, &name, FolderOptions { dry_run }))
    }

    #[pyo3(signature = (path, to, dry_run, /))]
    fn move_folder(&self, py: Python<'_>, path: String, to: String, dry_run: bool) -> PyResult<String> {
        let (path, to) = (folder_of(py, &path)?, folder_of(py, &to)?);
        self.short(py, |session| session.move_folder(&path, &to, FolderOptions { dry_run }))
    }

    #[pyo3(signature = (path, dry_run, /))]
    fn remove_folder(&self, py: Python<'_>, path: String, dry_run: bool) -> PyResult<String> {
        let path = folder_of(py, &path)?;
        self.short(py, |session| session.remove_folder(&path, FolderOptions { dry_run }))
    }

    #[pyo3(signature = (path, dry_run, /))]
    fn prune_folders(&self, py: Python<'_>, path: Option<String>, dry_run: bool) -> PyResult<String> {
        let path = path.map(|path| folder_of(py, &path)).transpose()?;
        self.short(py, |session| session.prune_folders(path.as_ref(), FolderOptions { dry_run }))
    }

    // What deletes messages, brings them back, and erases them.

    #[pyo3(signature = (ids, reason, dry_run, /))]
    fn delete(&self, py: Python<'_>, ids: Vec<String>, reason: String, dry_run: bool) -> PyResult<String> {
        let ids = ids_of(py, &ids)?;
        self.long(py, None, None, move |session, _| session.delete(&ids, &reason, DeleteOptions { dry_run }))
    }

    #[pyo3(signature = (ids, reason, /))]
    fn undelete(&self, py: Python<'_>, ids: Vec<String>, reason: String) -> PyResult<String> {
        let ids = ids_of(py, &ids)?;
        self.long(py, None, None, move |session, _| session.undelete(&ids, &reason))
    }

    #[pyo3(signature = (cursor, most, /))]
    fn deleted_page(&self, py: Python<'_>, cursor: Option<String>, most: usize) -> PyResult<String> {
        self.long(py, None, None, move |session, _| session.deleted_page(cursor.as_deref(), most))
    }

    #[pyo3(signature = (store, dry_run, progress, cancel, /))]
    fn compact(&self, py: Python<'_>, store: Option<u32>, dry_run: bool, progress: Object, cancel: Ends) -> PyResult<String> {
        self.long(py, progress, cancel, move |session, progress| session.compact(CompactOptions { dry_run, store }, progress))
    }

    // The stores of the archive. `dirs` are its folder, that of its containers and that of its index.

    #[pyo3(signature = (stats, /))]
    fn stores(&self, py: Python<'_>, stats: bool) -> PyResult<String> {
        self.long(py, None, None, move |session, _| session.stores(stats))
    }

    #[pyo3(signature = (name, state, dirs, /))]
    fn create_store(&self, py: Python<'_>, name: &str, state: &str, dirs: Dirs) -> PyResult<u32> {
        let mut new = NewStore::new(name);
        (new.state, new.dirs) = (state_of(py, state)?, dirs_of(dirs));
        self.run(py, Follow::default(), move |session, _| session.create_store(&new))
    }

    #[pyo3(signature = (name, state, dirs, /))]
    fn attach_store(&self, py: Python<'_>, name: String, state: &str, dirs: Dirs) -> PyResult<u32> {
        let (state, dirs) = (state_of(py, state)?, dirs_of(dirs));
        self.run(py, Follow::default(), move |session, _| session.attach_store(&name, state, &dirs))
    }

    #[pyo3(signature = (store, cancel, /))]
    fn detach_store(&self, py: Python<'_>, store: u32, cancel: Ends) -> PyResult<()> {
        self.run(py, Follow::new(None, cancel), move |session, caller| session.detach_store(store, &caller.progress))
    }

    #[pyo3(signature = (store, name, /))]
    fn rename_store(&self, py: Python<'_>, store: u32, name: &str) -> PyResult<()> {
        py.detach(|| self.session.rename_store(store, name)).or_raise(py)
    }

    #[pyo3(signature = (store, state, progress, cancel, /))]
    fn set_store_state(&self, py: Python<'_>, store: u32, state: &str, progress: Object, cancel: Ends) -> PyResult<()> {
        let state = state_of(py, state)?;
        self.run(py, Follow::new(progress, cancel), move |session, caller| {
            session.set_store_requested_state(store, state, &caller.progress)
        })
    }

    #[pyo3(signature = (store, dirs, /))]
    fn set_store_dirs(&self, py: Python<'_>, store: u32, dirs: Dirs) -> PyResult<()> {
        let dirs = dirs_of(dirs);
        py.detach(|| self.session.set_store_dirs(store, &dirs)).or_raise(py)
    }

    fn store_rule(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.session.store_rule().map(|rule| rule.to_string())).or_raise(py)
    }

    #[pyo3(signature = (rule, /))]
    fn set_store_rule(&self, py: Python<'_>, rule: &str) -> PyResult<()> {
        py.detach(|| self.session.set_store_rule(rule.parse()?)).or_raise(py)
    }

    #[pyo3(signature = (progress, cancel, /))]
    fn retry_open_stores(&self, py: Python<'_>, progress: Object, cancel: Ends) -> PyResult<String> {
        self.long(py, progress, cancel, archive_core::Session::retry_open_stores)
    }

    // What checks, repairs and measures an archive, and keeps its index.

    #[pyo3(signature = (progress, cancel, /))]
    fn stats(&self, py: Python<'_>, progress: Object, cancel: Ends) -> PyResult<String> {
        self.long(py, progress, cancel, archive_core::Session::stats)
    }

    #[pyo3(signature = (progress, cancel, /))]
    fn types_not_read(&self, py: Python<'_>, progress: Object, cancel: Ends) -> PyResult<String> {
        self.long(py, progress, cancel, archive_core::Session::types_not_read)
    }

    #[pyo3(signature = (cursor, most, /))]
    fn not_searchable_page(&self, py: Python<'_>, cursor: Option<String>, most: usize) -> PyResult<String> {
        self.long(py, None, None, move |session, _| session.not_searchable_page(cursor.as_deref(), most))
    }

    /// `part` is the number of the part, and of how many.
    #[pyo3(signature = (structure_only, part, progress, cancel, /))]
    fn verify(&self, py: Python<'_>, structure_only: bool, part: Option<(u32, u32)>, progress: Object, cancel: Ends) -> PyResult<Verified> {
        let depth = match part {
            Some((no, of)) if !structure_only => Depth::Part { no, of },
            Some(_) => return Err(misuse(py, "a part of the structure cannot be verified; give a part, or structure_only, not both")),
            None if structure_only => Depth::Structure,
            None => Depth::Everything,
        };
        let report = self.run(py, Follow::new(progress, cancel), move |session, caller| session.verify(depth, &caller.progress))?;
        Ok(Verified(Arc::new(Mutex::new(report))))
    }

    #[pyo3(signature = (verified, /))]
    fn accept_damage(&self, py: Python<'_>, verified: &Verified) -> PyResult<()> {
        let report = Arc::clone(&verified.0);
        self.run(py, Follow::default(), move |session, _| session.accept_damage(&mut report.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    #[pyo3(signature = (accept_state, dry_run, /))]
    fn repair(&self, py: Python<'_>, accept_state: bool, dry_run: bool) -> PyResult<String> {
        self.long(py, None, None, move |session, _| session.repair(RepairOptions { accept_state, dry_run }))
    }

    #[pyo3(signature = (store, /))]
    fn store_indexes(&self, py: Python<'_>, store: Option<u32>) -> PyResult<String> {
        self.short(py, |session| session.store_indexes(store))
    }

    #[pyo3(signature = (store, progress, cancel, /))]
    fn rebuild_store_index(&self, py: Python<'_>, store: u32, progress: Object, cancel: Ends) -> PyResult<()> {
        self.run(py, Follow::new(progress, cancel), move |session, caller| session.rebuild_store_index(store, &caller.progress))
    }

    fn select_all_store_indexes_for_rebuild(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.session.select_all_store_indexes_for_rebuild()).or_raise(py)
    }

    #[pyo3(signature = (progress, cancel, /))]
    fn rebuild_selected_store_indexes(&self, py: Python<'_>, progress: Object, cancel: Ends) -> PyResult<usize> {
        self.run(py, Follow::new(progress, cancel), move |session, caller| session.rebuild_selected_store_indexes(&caller.progress))
    }

    fn index_configuration(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        py.detach(|| self.session.index_configuration().map(|configuration| configuration.types)).or_raise(py)
    }

    #[pyo3(signature = (types, /))]
    fn set_index_configuration(&self, py: Python<'_>, types: Vec<String>) -> PyResult<()> {
        py.detach(|| self.session.set_index_configuration(&IndexConfiguration { types })).or_raise(py)
    }
}

/// A search that is read page by page.
#[pyclass(frozen, module = "mailkeep._native")]
pub(crate) struct Pages {
    pages: Arc<Mutex<SearchPages>>,
    progress: Progress,
}

#[pymethods]
impl Pages {
    /// The next page; `None` after the last one.
    #[pyo3(signature = (cancel, /))]
    fn next<'py>(&self, py: Python<'py>, cancel: Option<Py<Cancel>>) -> PyResult<Option<Found<'py>>> {
        let pages = Arc::clone(&self.pages);
        let page = run_with(py, Follow::new(None, cancel), &self.progress, move |_| {
            pages.lock().unwrap_or_else(PoisonError::into_inner).next().transpose()
        })?;
        page.map(|page| found(py, page)).transpose()
    }
}

/// The report of a verification.
#[pyclass(frozen, module = "mailkeep._native")]
pub(crate) struct Verified(Arc<Mutex<VerifyReport>>);

#[pymethods]
impl Verified {
    fn json(&self) -> String {
        to_json(&*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A query or criteria in the JSON form that can be kept.
#[pyfunction]
#[pyo3(signature = (json, /))]
pub(crate) fn read_criteria(py: Python<'_>, json: String) -> PyResult<String> {
    Ok(request(py, &json)?.criteria().to_json())
}
