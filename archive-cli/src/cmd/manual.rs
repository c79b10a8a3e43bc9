//! Completions and man pages, from the same declarations as the parser.

use std::fs;
use std::path::Path;

use clap::CommandFactory;

use crate::args::{Args, Common};
use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::place;

pub fn completions(shell: clap_complete::Shell, out: &mut Out) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "mailkeep", &mut script);
    out.bytes(&script)?;
    Ok(Exit::Done)
}

pub fn pages(common: &Common, dir: &Path) -> Result<Exit, Failure> {
    place::outside_all(common, dir)?;
    fs::create_dir_all(dir).map_err(Failure::file("create the folder", dir))?;
    clap_mangen::generate_to(Args::command(), dir).map_err(Failure::file("write man pages into", dir))?;
    Ok(Exit::Done)
}
