//! What opens an archive.

use archive_core::Secret;
use pyo3::prelude::*;

/// Something that opens an archive: `Key.file`, `Key.recovery` or `Key.passphrase`.
#[pyclass(frozen, module = "mailkeep")]
pub(crate) struct Key {
    kind: Kind,
    secret: Secret,
}

#[derive(Clone, Copy)]
enum Kind {
    File,
    Recovery,
    Passphrase,
}

impl Key {
    pub(crate) fn of_core(&self) -> archive_core::Key {
        let secret = self.secret.clone();
        match self.kind {
            Kind::File => archive_core::Key::File(secret),
            Kind::Recovery => archive_core::Key::Recovery(secret),
            Kind::Passphrase => archive_core::Key::Passphrase(secret),
        }
    }
}

#[pymethods]
impl Key {
    /// The text of a key file.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn file(text: String) -> Self {
        Self { kind: Kind::File, secret: text.into() }
    }

    /// The recovery key as it was printed.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn recovery(text: String) -> Self {
        Self { kind: Kind::Recovery, secret: text.into() }
    }

    /// A passphrase.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn passphrase(text: String) -> Self {
        Self { kind: Kind::Passphrase, secret: text.into() }
    }

    /// What it is: `key file`, `recovery key` or `passphrase`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.of_core().kind().name()
    }

    fn __repr__(&self) -> String {
        format!("<Key: {}>", self.kind())
    }
}
