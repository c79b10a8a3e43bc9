//! Each measurement is a separate process: this program again, with a task as its argument.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Result;

/// The first argument of a process that does one task.
pub const TASK: &str = "--task";

/// Runs one task in a separate process; `home` is the home folder for programs.
pub fn run(home: &Path, task: &str, args: &[&str]) -> Result<Value> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(TASK).arg(task).args(args).stdin(Stdio::null()).stderr(Stdio::inherit());
    command.env("HOME", home).env("XDG_CACHE_HOME", home.join("cache")).env("XDG_CONFIG_HOME", home.join("config"));
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("task {task} {args:?}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
