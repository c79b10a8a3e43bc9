//! An async host: a tokio program that imports and searches without blocking its workers, and cancels an import.
//!
//! Every call of the library blocks its thread, so each runs by `spawn_blocking`; sessions are handles, so each task has its own.
//!
//! `cargo run -p examples --example async_host -- FOLDER`

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use archive_core::{Actor, ImportEvents, ImportOptions, ImportSource, Progress, Receipt, SearchRequest, Session};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

/// Ends calls when the task that waits for them is dropped, as when a client goes away.
struct CancelOnDrop(Progress);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Counts the mails that are durable.
struct Receipts(watch::Sender<u64>);

impl ImportEvents for Receipts {
    fn receipt(&mut self, _receipt: &Receipt) {
        self.0.send_modify(|count| *count += 1);
    }
}

async fn search(session: &Session, query: &str) -> Result<u64, Box<dyn Error>> {
    let progress = Progress::new();
    let _cancel = CancelOnDrop(progress.clone());
    let (session, request) = (session.clone(), SearchRequest::new(query).limit(10).progress(&progress));
    Ok(spawn_blocking(move || session.search(&request)).await??.total)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: async_host FOLDER")?;
    let archive = spawn_blocking(move || examples::open_or_create(Path::new(&dir))).await??;
    let session = archive.session(Actor::System);

    // A receipt wakes the async side; nothing waits for it.
    let (sender, mut receipts) = watch::channel(0);
    let progress = Progress::new();
    let (importing, ends) = (session.clone(), progress.clone());
    let import = spawn_blocking(move || {
        // A source without an end, as a connection may be.
        let mut source = Endless::default();
        let options = ImportOptions { progress, into: Some("anna/stream".parse()?), ..ImportOptions::default() };
        importing
            .import(ImportSource::Stream(&mut source, "stream.mbox"), &options, &mut Receipts(sender))
            .map_err(Box::<dyn Error + Send + Sync>::from)
    });

    // Meanwhile other tasks search.
    receipts.wait_for(|count| *count > 0).await?;
    println!("searched while importing: {}", search(&session, "text").await.is_ok());

    ends.cancel();
    let report = tokio::time::timeout(Duration::from_secs(10), import).await??.map_err(|error| error.to_string())?;
    println!("stopped: {}, archived some: {}", report.stopped, report.stored > 0);
    println!("all found: {}", search(&session, "text").await? >= report.stored);
    spawn_blocking(move || archive.close()).await??;
    Ok(())
}

/// Mails without an end.
#[derive(Default)]
struct Endless {
    mail: Vec<u8>,
    at: usize,
    count: u64,
}

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.mail.len() {
            self.count += 1;
            let number = self.count;
            let mail =
                format!("From a@example.org Thu Jan  1 00:00:00 2015\nFrom: a@example.org\nSubject: mail {number}\n\nText {number}.\n\n");
            (self.mail, self.at) = (mail.into_bytes(), 0);
        }
        let rest = self.mail.get(self.at..).unwrap_or_default();
        let taken = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..taken), rest.get(..taken)) {
            to.copy_from_slice(from);
        }
        self.at += taken;
        Ok(taken)
    }
}
