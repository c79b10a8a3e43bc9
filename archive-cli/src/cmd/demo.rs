//! `demo`.
use crate::args::{Common, Demo};
use crate::failure::{Exit, Failure};
use crate::out::Out;

pub fn run(_common: &Common, _args: &Demo, _out: &mut Out) -> Result<Exit, Failure> {
    Err(Failure::Usage("demo comes soon".to_owned()))
}
