//! Errors as exceptions: the classes are those of `mailkeep._errors`, which makes one of the JSON form of an error.

use archive_core::{Error, FolderPath, MessageId};
use pyo3::prelude::*;
use serde::Serialize;
use serde_json::json;

/// The result, or the exception of its error.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error))
    }
}

/// The exception of an error.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    of_json(py, &to_json(error))
}

/// The exception for a request that is impossible.
pub(crate) fn misuse(py: Python<'_>, message: impl std::fmt::Display) -> PyErr {
    of_json(py, &json!({ "code": "misuse", "message": message.to_string(), "retryable": false }).to_string())
}

fn of_json(py: Python<'_>, json: &str) -> PyErr {
    let made = py.import("mailkeep._errors").and_then(|errors| errors.call_method1("of_json", (json,)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}

/// The JSON form of a record, list or report.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    // Serialization of these types cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

pub(crate) fn id_of(py: Python<'_>, text: &str) -> PyResult<MessageId> {
    text.parse().map_err(|error| misuse(py, error))
}

pub(crate) fn ids_of(py: Python<'_>, texts: &[String]) -> PyResult<Vec<MessageId>> {
    texts.iter().map(|text| id_of(py, text)).collect()
}

pub(crate) fn folder_of(py: Python<'_>, text: &str) -> PyResult<FolderPath> {
    text.parse().map_err(|error| misuse(py, error))
}

/// Options as the Python side writes them.
pub(crate) fn options<'de, T: serde::Deserialize<'de>>(py: Python<'_>, json: &'de str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| misuse(py, error))
}
