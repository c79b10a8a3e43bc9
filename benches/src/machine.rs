//! The machine and the versions of a measurement.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

/// Machine, date, versions of all programs.
#[must_use]
pub fn describe() -> Value {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    json!({
        "date": first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        "cpu": field(&cpuinfo, "model name"),
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "memory": field(&meminfo, "MemTotal"),
        "load": fs::read_to_string("/proc/loadavg").ok().map(|text| text.trim().to_owned()),
        "system": first_line("uname", &["-sr"]),
        "mailkeep": first_line("git", &["describe", "--always", "--dirty"]),
        "rustc": first_line("rustc", &["--version"]),
        "zstd": zstd::zstd_safe::version_string(),
        "mu": first_line("mu", &["--version"]),
        "notmuch": first_line("notmuch", &["--version"]),
        "borg": first_line("borg", &["--version"]),
        "restic": first_line("restic", &["version"]),
    })
}

/// The first line that a program prints, if it exists.
#[must_use]
pub fn first_line(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}
