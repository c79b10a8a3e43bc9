//! `freeze`.

use std::ffi::OsString;
use std::path::{Path, absolute};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use archive_core::{Archive, Error, Progress};
use serde_json::json;

use crate::args::Freeze;
use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::stop;

/// How often the command is looked at.
const LOOK: Duration = Duration::from_millis(20);

pub fn run(archive: &Archive, args: &Freeze, out: &mut Out) -> Result<Exit, Failure> {
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(Failure::Usage("give a command to run while nothing changes, after `--`".to_owned()));
    };
    out.flush()?;
    let progress = stop::at_safe_points();
    let began = Instant::now();
    let frozen = archive.freeze(args.max)?;
    let child = start(program, arguments, archive.dir());
    let ended =
        child.and_then(|mut child| wait(&mut child, &progress).map_err(Failure::file("wait for the command", Path::new(program))))?;
    let held = frozen.thaw();
    if progress.is_cancelled() {
        return Err(Error::Stopped.into());
    }
    let (exit, seconds) = (code(ended), began.elapsed().as_secs_f64());
    if !held {
        let name = program.to_string_lossy();
        out.warn(&format!(
            "warning: the archive could change again before {name} ended: what it copied is no backup; give it more time with --max"
        ))?;
    }
    if out.is_json() {
        out.json(&json!({ "event": "summary", "held": held, "seconds": seconds, "exit": exit }))?;
    } else if held {
        out.note(&format!("nothing in the archive changed for {seconds:.1} s; the command ended with {exit}"))?;
    }
    Ok(if held { Exit::Command(exit) } else { Exit::Wrong })
}

fn start(program: &OsString, arguments: &[OsString], archive: &Path) -> Result<Child, Failure> {
    let mut command = Command::new(program);
    // The command may change its folder.
    let dir = absolute(archive).unwrap_or_else(|_| archive.to_owned());
    command.args(arguments).env("MAILKEEP_ARCHIVE", dir);
    command.spawn().map_err(Failure::file("start the command", Path::new(program)))
}

/// Waits until it ends. If the user wants to stop, it is asked to end, once.
fn wait(child: &mut Child, progress: &Progress) -> std::io::Result<ExitStatus> {
    let mut asked = false;
    loop {
        if let Some(ended) = child.try_wait()? {
            return Ok(ended);
        }
        if progress.is_cancelled() && !asked {
            asked = true;
            end(child)?;
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(unix)]
fn end(child: &Child) -> std::io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    Ok(kill_process(Pid::from_child(child), Signal::TERM)?)
}

#[cfg(not(unix))]
fn end(child: &mut Child) -> std::io::Result<()> {
    child.kill()
}

/// The code as shells have it.
fn code(ended: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&ended) {
        return u8::try_from(signal).map_or(u8::MAX, |signal| signal.saturating_add(128));
    }
    ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
