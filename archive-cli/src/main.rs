//! The command `mailkeep`: parses arguments, calls the library, prints. It contains no rules of the archive.
//!
//! `args` is the command line as types; `cmd` has a file per command; `out` is everything that is printed; `place`
//! finds the archive and `key` what opens it; `memory` is what stays between runs; `failure` turns errors into exit
//! codes; `stop` listens to signals, and `input` reacts to them.

mod args;
mod cmd;
mod failure;
mod input;
mod key;
mod memory;
mod out;
mod place;
mod stop;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use args::Args;
use failure::Failure;
use out::Out;

fn main() -> ExitCode {
    let given: Vec<_> = std::env::args_os().collect();
    let wants_json = given.iter().any(|word| word == "--json");
    let parsed = Args::command().try_get_matches_from(args::with_query_last(given)).and_then(|found| Args::from_arg_matches(&found));
    let args = match parsed {
        Ok(args) => args,
        Err(error) => return failure::bad_arguments(&error, wants_json),
    };
    let mut out = Out::new(&args.common);
    let done = stop::listen().and_then(|()| cmd::run(args, &mut out));
    match done.and_then(|code| out.flush().map(|()| code)) {
        Ok(code) => code.into(),
        Err(failure) => report(&failure, &mut out),
    }
}

fn report(failure: &Failure, out: &mut Out) -> ExitCode {
    if failure.is_closed_pipe() {
        return ExitCode::SUCCESS;
    }
    out.failure(failure);
    failure.exit().into()
}
