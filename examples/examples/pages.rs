//! Pages by cursor: shows all hits of a query, ten at a time. A cursor is opaque, and may be given to a client that comes back for the next page.
//!
//! `cargo run -p examples --example pages -- FOLDER QUERY`

use std::error::Error;
use std::path::Path;

use archive_core::{Actor, SearchRequest};

const PAGE: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(query)) = (args.next(), args.next()) else {
        return Err("usage: pages FOLDER QUERY".into());
    };
    let archive = examples::open_or_create(Path::new(&dir))?;
    let session = archive.session(Actor::System);
    let first = SearchRequest::new(&query).limit(PAGE);
    let (mut request, mut page) = (first.clone(), 1);
    loop {
        let found = session.search(&request)?;
        println!("page {page}, {} of {} hits", found.hits.len(), found.total);
        for hit in &found.hits {
            println!("  {}  {}", hit.id, hit.subject);
        }
        let Some(cursor) = found.cursor else { break };
        (request, page) = (first.clone().after(&cursor), page + 1);
    }
    Ok(archive.close()?)
}
