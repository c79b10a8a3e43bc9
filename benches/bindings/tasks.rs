//! The tasks of `tasks.c` by the library itself: what the C border costs is the difference.

use std::io::BufRead;
use std::path::Path;

use archive_core::{Actor, Archive, Error, ImportOptions, ImportSource, Key, MessageInfo, NoEvents, OpenOptions, SearchRequest, Session};
use benches::usage::Meter;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Reads what a program would show of each row.
fn take(rows: &[MessageInfo]) -> u64 {
    let shown = |row: &MessageInfo| !row.subject.is_empty() && !row.folder.to_string().is_empty();
    rows.iter().map(|row| u64::from(shown(row)) + row.size + u64::from(row.attachments)).sum()
}

fn list(session: &Session, times: usize) -> Result<u64, Error> {
    let mut sum = 0;
    for _ in 0..times {
        let mut cursor = None;
        loop {
            let page = session.messages_page(None, cursor.as_deref(), 1000)?;
            sum += take(&page.items);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(sum)
}

fn search(session: &Session, requests: &str) -> Result<u64, Failure> {
    let mut sum = 0;
    for line in std::io::BufReader::new(std::fs::File::open(requests)?).lines() {
        let found = session.search(&SearchRequest::from_json(&line?)?)?;
        sum += found.total + take(&found.hits);
    }
    Ok(sum)
}

fn import(session: &Session, mbox: &str) -> Result<u64, Error> {
    Ok(session.import(ImportSource::Path(Path::new(mbox)), &ImportOptions::default(), &mut NoEvents)?.read)
}

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [task, folder, key, what] = args.as_slice() else {
        return Err("usage: tasks list|search|import ARCHIVE KEYFILE TIMES|REQUESTS|MBOX".into());
    };
    let key = Key::File(std::fs::read_to_string(key)?.into());
    let archive = Archive::open(Path::new(folder), &key, OpenOptions::default())?;
    let session = archive.session(Actor::System);
    let meter = Meter::own()?;
    let sum = match task.as_str() {
        "list" => list(&session, what.parse()?)?,
        "search" => search(&session, what)?,
        _ => import(&session, what)?,
    };
    println!("{{\"cpu\": {}, \"sum\": {sum}}}", meter.read()?["cpu"]);
    Ok(archive.close()?)
}
