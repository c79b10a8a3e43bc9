//! Rows of lists and of searches: the library's own values, which make Python objects only of what is asked for.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use archive_core::{AddressInfo, HitSnippet, SearchResult};
use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDateTime, PyDelta, PyTuple, PyTzInfo};
use serde_json::{Map, Value, json};

use crate::error::to_json;

/// What lists show of a message. It does not change.
#[pyclass(frozen, subclass, module = "mailkeep")]
pub(crate) struct MessageInfo(pub(crate) archive_core::MessageInfo);

/// A message that a search found.
#[pyclass(frozen, extends = MessageInfo, module = "mailkeep")]
pub(crate) struct Hit {
    /// `None` if it was not requested.
    snippet: Option<Option<HitSnippet>>,
    subject_words: Option<Vec<Range<usize>>>,
    also: Option<Py<PyTuple>>,
}

const FIELDS: [&str; 13] = [
    "id",
    "date",
    "date_source",
    "archived",
    "from_",
    "to",
    "subject",
    "folder",
    "number_in_folder",
    "size",
    "attachments",
    "importance",
    "direction",
];
const FIELDS_OF_HITS: [&str; 3] = ["snippet", "subject_words", "also"];

/// The messages of a list.
pub(crate) fn rows<'py>(py: Python<'py>, infos: Vec<archive_core::MessageInfo>) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, infos.into_iter().map(MessageInfo))
}

/// What a search found: its hits, and the JSON form of the rest.
pub(crate) fn found<'py>(py: Python<'py>, mut found: SearchResult) -> PyResult<(Bound<'py, PyTuple>, String)> {
    let infos = std::mem::take(&mut found.hits);
    let mut snippets = std::mem::take(&mut found.snippets).into_iter();
    let mut subject_words = std::mem::take(&mut found.subject_words).into_iter();
    let mut also = std::mem::take(&mut found.also).into_iter();
    let mut hits = Vec::with_capacity(infos.len());
    for info in infos {
        let also = also.next().map(|also| rows(py, also).map(Bound::unbind)).transpose()?;
        let hit = Hit { snippet: snippets.next(), subject_words: subject_words.next(), also };
        hits.push(Bound::new(py, PyClassInitializer::from(MessageInfo(info)).add_subclass(hit))?);
    }
    Ok((PyTuple::new(py, hits)?, to_json(&found)))
}

impl MessageInfo {
    fn form(&self) -> Map<String, Value> {
        match json!(self.0) {
            Value::Object(form) => form,
            _ => Map::new(),
        }
    }

    fn id_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.id.hash(&mut hasher);
        hasher.finish()
    }
}

#[pymethods]
impl MessageInfo {
    /// Its id, such as ``1:42``: permanent, and no other message ever gets it.
    #[getter]
    fn id(&self) -> String {
        self.0.id.to_string()
    }

    /// Its date in UTC; ``None`` if only the time of archiving is known.
    #[getter]
    fn date<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.date.map_or(Ok(None), |date| time(py, date, 0))
    }

    /// Where the date is from: ``mail``, ``mbox_line``, ``maildir_name``, ``received``, ``received_field``, ``archiving``.
    #[getter]
    fn date_source(&self) -> String {
        match json!(self.0.date_origin) {
            Value::String(name) => name,
            _ => String::new(),
        }
    }

    /// The time of archiving in UTC.
    #[getter]
    fn archived<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time(py, self.0.archived.div_euclid(1000), self.0.archived.rem_euclid(1000))
    }

    /// The first senders.
    #[getter]
    fn from_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        addresses(py, &self.0.from)
    }

    /// The first receivers.
    #[getter]
    fn to<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        addresses(py, &self.0.to)
    }

    /// The subject, decoded.
    #[getter]
    fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Its folder: names from the user archive down, joined by ``/``.
    #[getter]
    fn folder(&self) -> String {
        self.0.folder.to_string()
    }

    /// Its number in the folder, which no other message ever gets.
    #[getter]
    fn number_in_folder(&self) -> u32 {
        self.0.number_in_folder
    }

    /// Bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size
    }

    /// Attachments.
    #[getter]
    fn attachments(&self) -> u32 {
        self.0.attachments
    }

    /// -1 low, 0 normal or not said, 1 high.
    #[getter]
    fn importance(&self) -> i8 {
        self.0.importance.level()
    }

    /// Whether the owner of the user archive ``received`` or ``sent`` it; ``unknown`` if that is not known.
    #[getter]
    fn direction(&self) -> &'static str {
        self.0.direction.name()
    }

    /// The same as the library gives it, for ``json.dumps``: times are text, and ``from`` is ``from``.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        of_form(py, &self.0)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, "MessageInfo", &[&FIELDS])
    }

    fn __richcmp__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, operator: CompareOp) -> PyResult<Py<PyAny>> {
        let equal = other.cast_exact::<Self>().ok().map(|other| slf.get().0 == other.get().0);
        answer(slf.py(), equal, operator)
    }

    fn __hash__(&self) -> u64 {
        self.id_hash()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
}

#[pymethods]
impl Hit {
    /// If requested: the place that has the most words of the query; ``None`` if the text has none.
    #[getter]
    fn snippet<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(Some(snippet)) = &self.snippet else { return Ok(None) };
        let form = of_form(py, &form_of_snippet(snippet))?;
        record(py, "Snippet")?.call_method1("of", (form,)).map(Some)
    }

    /// If requested: the words of the query in the subject: ``subject[start:end]`` for each pair.
    #[getter]
    fn subject_words<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let subject = &slf.as_super().get().0.subject;
        let characters = |bytes: usize| subject.char_indices().take_while(|(at, _)| *at < bytes).count();
        let words = slf.get().subject_words.as_deref().unwrap_or_default();
        PyTuple::new(slf.py(), words.iter().map(|word| (characters(word.start), characters(word.end))))
    }

    /// If mails are shown once: the other messages with the same mail that meet the query, newest first.
    #[getter]
    fn also<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        self.also.as_ref().map_or_else(|| PyTuple::empty(py), |also| also.bind(py).clone())
    }

    /// The same as the library gives it, for ``json.dumps``: times are text, and ``from`` is ``from``.
    fn json<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, hit, mut form) = (slf.py(), slf.get(), slf.as_super().get().form());
        if let Some(snippet) = &hit.snippet {
            form.insert("snippet".to_owned(), json!(snippet.as_ref().map(form_of_snippet)));
        }
        if let Some(words) = &hit.subject_words {
            form.insert("subject_words".to_owned(), form_of_ranges(words));
        }
        if let Some(also) = &hit.also {
            let also = also.bind(py).iter().map(|one| Ok(one.cast::<MessageInfo>()?.get().form().into()));
            form.insert("also".to_owned(), Value::Array(also.collect::<PyResult<_>>()?));
        }
        of_form(py, &form)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, "Hit", &[&FIELDS, &FIELDS_OF_HITS])
    }

    fn __richcmp__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, operator: CompareOp) -> PyResult<Py<PyAny>> {
        let equal = other.cast_exact::<Self>().ok().map(|other| Self::equal(slf, other)).transpose()?;
        answer(slf.py(), equal, operator)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> u64 {
        slf.as_super().get().id_hash()
    }
}

impl Hit {
    /// What was not requested equals what was not found, as the attributes do.
    fn equal(one: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<bool> {
        let (py, (hit, other_hit)) = (one.py(), (one.get(), other.get()));
        Ok(one.as_super().get().0 == other.as_super().get().0
            && hit.snippet.as_ref().and_then(Option::as_ref) == other_hit.snippet.as_ref().and_then(Option::as_ref)
            && hit.subject_words.as_deref().unwrap_or_default() == other_hit.subject_words.as_deref().unwrap_or_default()
            && hit.also(py).eq(other_hit.also(py))?)
    }
}

/// The answer of a comparison; `equal` is `None` for objects of other classes.
fn answer(py: Python<'_>, equal: Option<bool>, operator: CompareOp) -> PyResult<Py<PyAny>> {
    let answer = match (equal, operator) {
        (Some(equal), CompareOp::Eq) => equal,
        (Some(equal), CompareOp::Ne) => !equal,
        _ => return Ok(py.NotImplemented()),
    };
    Ok(answer.into_pyobject(py)?.to_owned().into_any().unbind())
}

/// As a dataclass shows itself.
fn shown<'py, T>(of: &Bound<'py, T>, class: &str, fields: &[&[&str]]) -> PyResult<String> {
    let values = fields.iter().copied().flatten().map(|name| Ok(format!("{name}={}", of.as_any().getattr(*name)?.repr()?)));
    Ok(format!("{class}({})", values.collect::<PyResult<Vec<_>>>()?.join(", ")))
}

/// A class of `mailkeep._records`.
fn record<'py>(py: Python<'py>, class: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("mailkeep._records")?.getattr(class)
}

fn addresses<'py>(py: Python<'py>, all: &[AddressInfo]) -> PyResult<Bound<'py, PyTuple>> {
    static ADDRESS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = ADDRESS.get_or_try_init(py, || record(py, "Address").map(Bound::unbind))?.bind(py);
    let each = all.iter().map(|one| class.call_method1("named", (&one.name, &one.address)));
    PyTuple::new(py, each.collect::<PyResult<Vec<_>>>()?)
}

fn form_of_ranges(ranges: &[Range<usize>]) -> Value {
    ranges.iter().map(|range| [range.start, range.end]).map(|range| json!(range)).collect()
}

fn form_of_snippet(snippet: &HitSnippet) -> Value {
    json!({ "field": snippet.field, "text": snippet.text, "ranges": form_of_ranges(&snippet.ranges) })
}

/// The Python objects of a JSON form.
fn of_form<'py, T: serde::Serialize>(py: Python<'py>, form: &T) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "json", "loads")?.call1((to_json(form),))
}

/// A time in UTC; `None` for one that Python or the JSON form has not.
fn time(py: Python<'_>, seconds: i64, millis: i64) -> PyResult<Option<Bound<'_, PyAny>>> {
    /// From the year 1 to the end of the calendar of the JSON form.
    const TIMES: Range<i64> = -62_135_596_800..253_402_207_201;
    const DAY: i64 = 24 * 60 * 60;
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if !TIMES.contains(&seconds) {
        return Ok(None);
    }
    let epoch = EPOCH.get_or_try_init(py, || {
        PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&*PyTzInfo::utc(py)?)).map(|epoch| epoch.into_any().unbind())
    })?;
    let part = |number: i64| i32::try_from(number).unwrap_or_default();
    let since = PyDelta::new(py, part(seconds.div_euclid(DAY)), part(seconds.rem_euclid(DAY)), part(millis * 1000), true)?;
    epoch.bind(py).add(since).map(Some)
}
