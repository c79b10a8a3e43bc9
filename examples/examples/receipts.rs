//! Receipts from several threads: each thread archives mails on its own, and each mail is durable when its receipt comes. Threads that wait at the
//! same time share one sync.
//!
//! `cargo run -p examples --example receipts -- FOLDER`

use std::error::Error;
use std::path::Path;
use std::thread;

use archive_core::{Actor, FolderPath};

const THREADS: usize = 4;
const MAILS: usize = 25;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: receipts FOLDER")?;
    let archive = examples::open_or_create(Path::new(&dir))?;
    let inbox: FolderPath = "anna/inbox".parse()?;
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (session, inbox) = (archive.session(Actor::System), &inbox);
                scope.spawn(move || {
                    for mail in 0..MAILS {
                        let text = format!("From: t{thread}@example.org\nSubject: mail {mail} of thread {thread}\n\nHello.\n");
                        let receipt = session.import_one(text.as_bytes(), inbox)?;
                        // Only now may the sender be answered "250 OK".
                        if mail == 0 {
                            println!("{} {}", receipt.id(), receipt.digest());
                        }
                    }
                    Ok::<_, archive_core::Error>(MAILS)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".into())).collect::<Vec<Result<_, Box<dyn Error>>>>()
    });
    let mut archived = 0;
    for count in counts {
        archived += count??;
    }
    println!("{archived} receipts");
    Ok(archive.close()?)
}
