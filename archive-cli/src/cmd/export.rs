//! `export`.
use archive_core::Archive;

use crate::args::Export;
use crate::failure::{Exit, Failure};
use crate::out::Out;

pub fn run(_archive: &Archive, _args: Export, _out: &mut Out) -> Result<Exit, Failure> {
    Err(Failure::Usage("export comes soon".to_owned()))
}
