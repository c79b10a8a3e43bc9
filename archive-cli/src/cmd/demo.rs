//! `demo`: runs the commands on mails that ship with the program, in a separate folder. It asks nothing and leaves
//! nothing elsewhere.

use std::fs;
use std::path::Path;

use clap::Parser;

use super::init::{self, Manner};
use crate::args::{Args, Common, Demo};
use crate::failure::{Exit, Failure};
use crate::out::{Out, escape};

const MAILS: &[u8] = include_bytes!("../../fixtures/demo.mbox");

/// The commands that run after the archive is created; `{}` is the folder.
const STEPS: [&[&str]; 8] = [
    &["import", "{}/demo.mbox"],
    &["ls"],
    &["search", "invoice"],
    &["search", "muhle"],
    &["show", "1:3"],
    &["check", "{}/demo.mbox"],
    &["verify"],
    &["stats"],
];

pub fn run(common: &Common, args: &Demo, out: &mut Out) -> Result<Exit, Failure> {
    out.forget();
    let dir = &args.dir;
    let shown = dir.to_str().ok_or_else(|| Failure::Usage("the demo needs a folder with a name in Unicode".to_owned()))?;
    if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
        fs::create_dir_all(above).map_err(Failure::file("create the folder", above))?;
    }
    fs::create_dir(dir).map_err(Failure::file("create the folder", dir))?;
    fs::write(dir.join("demo.mbox"), MAILS).map_err(Failure::file("write", dir))?;
    make(common, dir, out)?;
    for step in STEPS {
        let mut words =
            ["mailkeep", "-a", &format!("{shown}/archive"), "--key-file", &format!("{shown}/demo.key")].map(str::to_owned).to_vec();
        words.extend(step.iter().map(|word| word.replace("{}", shown)));
        say(&words, out)?;
        let mut step = Args::try_parse_from(words).map_err(|error| Failure::Usage(error.to_string()))?;
        step.common = Common { archive: step.common.archive, key_file: step.common.key_file, ..common.clone() };
        let exit = super::run(step, out)?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    if !out.is_json() {
        out.line("")?;
        out.line(&format!("All of this is in {}; remove that folder and nothing is left.", escape::line(shown)))?;
    }
    Ok(Exit::Done)
}

fn make(common: &Common, dir: &Path, out: &mut Out) -> Result<(), Failure> {
    let at = |name: &str| dir.join(name);
    let common =
        Common { key_file: Some(at("demo.key")), recovery_key_file: Some(at("recovery-key.txt")), passphrase_file: None, ..common.clone() };
    let archive = at("archive");
    let words = ["mailkeep", "init", "{archive}", "--owner", "demo", "--key-file", "{key}", "--recovery-key-file", "{recovery}"];
    let words: Vec<String> = words
        .iter()
        .map(|word| match *word {
            "{archive}" => archive.display().to_string(),
            "{key}" => at("demo.key").display().to_string(),
            "{recovery}" => at("recovery-key.txt").display().to_string(),
            other => other.to_owned(),
        })
        .collect();
    say(&words, out)?;
    init::make(&common, &archive, "demo", Manner { asks: false, notes_first: false }, out)
}

fn say(words: &[String], out: &mut Out) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(());
    }
    out.line("")?;
    out.heading(&format!("$ {}", escape::line(&words.join(" "))))?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Command;

    #[test]
    fn every_step_is_a_command_that_exists() {
        for step in STEPS {
            let words = ["mailkeep"].iter().chain(step).copied();
            assert!(!matches!(Args::try_parse_from(words).unwrap().command, Command::Demo(_)));
        }
    }
}
