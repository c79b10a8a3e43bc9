//! What crosses a call: sources that are read, events that are reported, bytes that are written.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use archive_core::source::{Format, SourceOptions, Trouble};
use archive_core::{
    Duplicates, Error, ExportFormat, ExportOptions, ImportEvents, ImportOptions, ImportSource, LabelRule, MessageId, Outcome, Progress,
    Receipt,
};
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::calling::{Callback, Caller};
use crate::error::{exception, folder_of, options};

/// The most bytes that a file object is asked for at once.
const MOST: usize = 1 << 20;

/// What is imported or checked: a path, or a file object with a name that hints at its format.
pub(crate) enum Source {
    Path(PathBuf),
    File(Callback, String),
}

impl Source {
    pub(crate) fn new(py: Python<'_>, source: Py<PyAny>, name: Option<String>) -> PyResult<Self> {
        match name {
            None => Ok(Self::Path(source.extract(py)?)),
            Some(name) => Ok(Self::File(Arc::new(source), name)),
        }
    }

    /// Runs `work` on it.
    pub(crate) fn with<T>(&self, caller: &Caller, work: impl FnOnce(ImportSource<'_>) -> T) -> T {
        match self {
            Self::Path(path) => work(ImportSource::Path(path)),
            Self::File(file, name) => work(ImportSource::Stream(&mut FileReader { caller, file }, name)),
        }
    }
}

/// A file object of the caller.
struct FileReader<'c> {
    caller: &'c Caller,
    file: &'c Callback,
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (file, most) = (Arc::clone(self.file), buffer.len().min(MOST));
        let read = self.caller.ask(move |py| read(file.bind(py), most));
        let bytes = read.ok_or_else(|| io::Error::other("the file object raised an exception"))?;
        let into = buffer.get_mut(..bytes.len()).ok_or_else(|| io::Error::other("the file object returned too much"))?;
        into.copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

fn read(file: &Bound<'_, PyAny>, most: usize) -> PyResult<Vec<u8>> {
    let bytes = file.call_method1("read", (most,))?;
    let bytes = bytes
        .cast::<PyBytes>()
        .map_err(|_| PyTypeError::new_err(format!("read() returned {}, not bytes; open the file in binary mode", type_name(&bytes))))?;
    let bytes = bytes.as_bytes();
    if bytes.len() > most {
        return Err(PyValueError::new_err(format!("read({most}) returned {} bytes", bytes.len())));
    }
    Ok(bytes.to_vec())
}

fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map(|name| name.to_string()).unwrap_or_default()
}

/// Passes bytes to a file object; false if it raised an exception.
pub(crate) fn write(caller: &Caller, file: &Callback, bytes: &[u8]) -> Result<(), Error> {
    let (file, bytes) = (Arc::clone(file), bytes.to_vec());
    let written = caller.ask(move |py| write_all(py, file.bind(py), &bytes));
    written.ok_or_else(|| Error::caller("the file object raised an exception"))
}

fn write_all(py: Python<'_>, file: &Bound<'_, PyAny>, mut rest: &[u8]) -> PyResult<()> {
    while !rest.is_empty() {
        let written = file.call_method1("write", (PyBytes::new(py, rest),))?;
        if written.is_none() {
            return Ok(());
        }
        let written: usize = written.extract()?;
        rest = match rest.get(written..) {
            Some(rest) if written > 0 => rest,
            Some(_) => return Err(PyOSError::new_err("write() wrote nothing")),
            None => return Err(PyValueError::new_err(format!("write() returned {written}, more than it was given"))),
        };
    }
    Ok(())
}

/// How mail is imported, as the Python side writes it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Importing {
    into: Option<String>,
    format: Option<String>,
    duplicates: String,
    with_deleted: bool,
    label_folders: bool,
    commit_each: bool,
}

pub(crate) fn import_options(py: Python<'_>, json: &str) -> PyResult<ImportOptions> {
    let given: Importing = options(py, json)?;
    let unknown = |what: &str, name: &str| crate::error::misuse(py, format!("`{name}` is not {what}"));
    let duplicates = match given.duplicates.as_str() {
        "folder" => Duplicates::Folder,
        "exact" => Duplicates::Exact,
        "archive" => Duplicates::Archive,
        name => return Err(unknown("a rule for duplicates; use folder, exact or archive", name)),
    };
    let format = match given.format.as_deref() {
        None => None,
        Some("mbox") => Some(Format::Mbox),
        Some("mboxo") => Some(Format::Mboxo),
        Some("mboxrd") => Some(Format::Mboxrd),
        Some("mboxcl") => Some(Format::Mboxcl),
        Some("mboxcl2") => Some(Format::Mboxcl2),
        Some("mmdf") => Some(Format::Mmdf),
        Some("listserv") => Some(Format::Listserv),
        Some("maildir") => Some(Format::Maildir),
        Some("mh") => Some(Format::Mh),
        Some("eml") => Some(Format::Eml),
        Some("emlx") => Some(Format::Emlx),
        Some(name) => {
            let names = "a format; use mbox, mboxo, mboxrd, mboxcl, mboxcl2, mmdf, listserv, maildir, mh, eml or emlx";
            return Err(unknown(names, name));
        }
    };
    Ok(ImportOptions {
        into: given.into.map(|into| folder_of(py, &into)).transpose()?,
        duplicates,
        source: SourceOptions { format, with_deleted: given.with_deleted },
        labels: if given.label_folders { LabelRule::Folders } else { LabelRule::Record },
        commit_each: given.commit_each,
        progress: Progress::new(),
    })
}

/// What is exported, as the Python side writes it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Exporting {
    format: String,
    folder: Option<String>,
    query: Option<String>,
    manifest: bool,
    update: bool,
    origin: bool,
}

pub(crate) fn export_options(py: Python<'_>, json: &str) -> PyResult<ExportOptions> {
    let given: Exporting = options(py, json)?;
    let format = match given.format.as_str() {
        "eml" => ExportFormat::Eml,
        "mbox" => ExportFormat::Mbox,
        "maildir" => ExportFormat::Maildir,
        name => return Err(crate::error::misuse(py, format!("`{name}` is not a format of exports; use eml, mbox or maildir"))),
    };
    Ok(ExportOptions {
        format,
        folder: given.folder.map(|folder| folder_of(py, &folder)).transpose()?,
        query: given.query,
        manifest: given.manifest,
        update: given.update,
        origin: given.origin,
        progress: Progress::new(),
    })
}

/// The caller's functions for what happens during an import or a check.
#[derive(Default)]
pub(crate) struct Functions {
    pub(crate) receipt: Option<Callback>,
    pub(crate) trouble: Option<Callback>,
    pub(crate) missing: Option<Callback>,
    pub(crate) lost: Option<Callback>,
}

/// Tells them on the thread of the caller.
pub(crate) struct Events {
    pub(crate) functions: Functions,
    pub(crate) caller: Caller,
}

/// Calls the function for receipts.
pub(crate) fn tell_receipt(caller: &Caller, function: &Callback, receipt: &Receipt) {
    let (function, receipt) = (Arc::clone(function), receipt.clone());
    caller.post(move |py| function.call1(py, receipt_arguments(&receipt)).map(drop));
}

type ReceiptArguments<'r> = (String, String, &'static str, bool, &'r str, u64);

pub(crate) fn receipt_arguments(receipt: &Receipt) -> ReceiptArguments<'_> {
    let (outcome, restated) = match receipt.outcome() {
        Outcome::Duplicate { restated } => ("duplicate", restated),
        _ => ("stored", false),
    };
    (receipt.id().to_string(), receipt.digest().to_string(), outcome, restated, receipt.source(), receipt.offset())
}

impl ImportEvents for Events {
    fn receipt(&mut self, receipt: &Receipt) {
        if let Some(function) = &self.functions.receipt {
            tell_receipt(&self.caller, function, receipt);
        }
    }

    fn trouble(&mut self, trouble: &Trouble) {
        let Some(function) = self.functions.trouble.as_ref().map(Arc::clone) else { return };
        let trouble = trouble.clone();
        self.caller.post(move |py| {
            let Trouble { source, offset, kind } = trouble;
            function.call1(py, (source, offset, kind.to_string(), kind.is_loss())).map(drop)
        });
    }

    fn missing(&mut self, source: &str, offset: u64) {
        let Some(function) = self.functions.missing.as_ref().map(Arc::clone) else { return };
        let source = source.to_owned();
        self.caller.post(move |py| function.call1(py, (source, offset)).map(drop));
    }

    fn lost(&mut self, bytes: &[u8]) {
        let Some(function) = self.functions.lost.as_ref().map(Arc::clone) else { return };
        let bytes = bytes.to_vec();
        self.caller.post(move |py| function.call1(py, (PyBytes::new(py, &bytes),)).map(drop));
    }
}

/// The function for messages that an export cannot write.
pub(crate) fn tell_failed(caller: &Caller, function: Option<&Callback>, id: MessageId, error: &Error) {
    let Some(function) = function.map(Arc::clone) else { return };
    let error = error.clone();
    caller.post(move |py| function.call1(py, (id.to_string(), exception(py, &error).into_value(py))).map(drop));
}
