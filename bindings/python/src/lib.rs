//! The extension module `mailkeep._native`: the library for the package in `python/mailkeep`, which is its Pythonic face.
//!
//! Nothing here is for other programs: arguments are positional, options come as JSON, records and reports go as JSON.
//! Messages in lists are objects, because there are many of them.
//! No call holds the interpreter's lock while the library works; `calling` says how callers' functions are run, `quick` which calls
//! have none.

mod archive;
mod calling;
mod error;
mod events;
mod keys;
mod message;
mod quick;
mod session;
mod stream;

use pyo3::prelude::*;

/// The extension module.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::archive::{Archive, Frozen, NewArchive, create, id_of, open, opens_with, test_key};
    #[pymodule_export]
    use crate::calling::Cancel;
    #[pymodule_export]
    use crate::keys::Key;
    #[pymodule_export]
    use crate::message::{Hit, MessageInfo};
    #[pymodule_export]
    use crate::session::{Pages, Session, Verified, read_criteria};
    #[pymodule_export]
    use crate::stream::Stream;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
