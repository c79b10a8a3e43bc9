//! Cancellation: an import of a large mailbox that another thread stops. What has a receipt by then stays, and the next import goes on from there,
//! since what is archived already is a duplicate.
//!
//! `cargo run -p examples --example cancel -- FOLDER`

use std::error::Error;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use archive_core::{Actor, ImportEvents, ImportOptions, ImportSource, NoEvents, Receipt};

/// Tells another thread of each receipt.
struct Receipts(Sender<()>);

impl ImportEvents for Receipts {
    fn receipt(&mut self, _: &Receipt) {
        // Nobody listens any more after the import was stopped.
        let _ = self.0.send(());
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: cancel FOLDER")?;
    let archive = examples::open_or_create(Path::new(&dir))?;
    let session = archive.session(Actor::System);
    let mailbox: String = (0..20_000)
        .map(|no| format!("From a@example.org Thu Jan  1 00:00:00 2015\nFrom: a@example.org\nSubject: mail {no}\n\nText of mail {no}.\n\n"))
        .collect();

    let (sender, receipts) = channel();
    let options = ImportOptions::default();
    let progress = options.progress.clone();
    let stopper = thread::spawn(move || {
        let first = receipts.recv();
        progress.cancel();
        first.is_ok()
    });
    let mut source = mailbox.as_bytes();
    let report = session.import(ImportSource::Stream(&mut source, "large.mbox"), &options, &mut Receipts(sender))?;
    let had_receipt = stopper.join().map_err(|_| "a thread panicked")?;
    println!("stopped: {}, after a receipt: {had_receipt}, {} archived", report.stopped, report.stored);

    let mut source = mailbox.as_bytes();
    let rest = session.import(ImportSource::Stream(&mut source, "large.mbox"), &ImportOptions::default(), &mut NoEvents)?;
    println!("then {} were there, {} archived", rest.duplicate, rest.stored);
    Ok(archive.close()?)
}
