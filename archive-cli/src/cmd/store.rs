//! `store`.

use archive_core::{Archive, NewStore, Progress, Session, StoreInfo, StoreState, StoreStats};
use serde_json::json;

use super::{system, with_all_stores};
use crate::args::Store;
use crate::failure::{Exit, Failure};
use crate::out::table::Column::{Left, Right, Share, Tail};
use crate::out::table::Table;
use crate::out::{Out, counted, escape, json as lines, when};

pub fn run(archive: &Archive, command: &Store, out: &mut Out) -> Result<Exit, Failure> {
    let session = &system(archive);
    let progress = Progress::new();
    match command {
        Store::List => {
            list(session, out)?;
            return Ok(with_all_stores(archive));
        }
        Store::New { name, dir, parts, state } => {
            let mut new = NewStore::new(name);
            (new.state, new.dirs) = (*state, parts.of(dir.as_ref()));
            let no = session.create_store(&new)?;
            changed(session, no, "new", out)?;
        }
        Store::Attach { name, dir, parts, state } => {
            let no = session.attach_store(name, *state, &parts.of(Some(dir)))?;
            changed(session, no, "attached", out)?;
        }
        Store::Detach { store } => {
            let store = named(session, store)?;
            session.detach_store(store.no, &progress)?;
            let (no, dir) = (store.no, store.dir.display().to_string());
            match out.is_json() {
                true => out.json(&json!({ "event": "summary", "number": no, "name": store.name, "detached": true, "dir": dir }))?,
                false => out.line(&escape::line(&format!("detached: store {no} ({}); its files stay in {dir}", store.name)))?,
            }
        }
        Store::Rename { store, name } => {
            let no = named(session, store)?.no;
            session.rename_store(no, name)?;
            changed(session, no, "renamed", out)?;
        }
        Store::State { store, state } => {
            let no = named(session, store)?.no;
            session.set_store_requested_state(no, *state, &progress)?;
            changed(session, no, "set", out)?;
        }
        Store::Move { store, dir, parts } => {
            let no = named(session, store)?.no;
            session.set_store_dirs(no, &parts.of(Some(dir)))?;
            changed(session, no, "recorded", out)?;
        }
        Store::Rule { rule } => {
            rule.map(|rule| session.set_store_rule(rule)).transpose()?;
            let rule = session.store_rule()?.to_string();
            match out.is_json() {
                true => out.json(&json!({ "event": "summary", "rule": rule }))?,
                false => out.line(&rule)?,
            }
        }
        Store::Retry => return retry(session, &progress, out),
    }
    Ok(Exit::Done)
}

/// The store that has this number, or else this name.
fn named(session: &Session, store: &str) -> Result<StoreInfo, Failure> {
    let stores = session.stores(false)?;
    let of_number = stores.iter().find(|known| known.no.to_string() == store);
    let found = of_number.or_else(|| stores.iter().find(|known| known.name == store));
    found.cloned().ok_or_else(|| {
        let known: Vec<String> = stores.iter().map(|known| format!("{} ({})", known.no, known.name)).collect();
        Failure::Usage(format!("there is no store `{store}`; the stores are: {}", known.join(", ")))
    })
}

fn list(session: &Session, out: &mut Out) -> Result<(), Failure> {
    let stores = session.stores(true)?;
    let open = stores.iter().filter(|store| store.is_open()).count();
    if out.is_json() {
        stores.iter().try_for_each(|store| out.json(&lines::line("store", store)))?;
        return out.json(&json!({ "event": "summary", "stores": stores.len(), "open": open }));
    }
    let table = Table([Right(3), Share(2), Left(14), Left(6), Right(8), Right(9), Tail(3)]);
    for store in &stores {
        let stats = store.stats.as_ref();
        let on_disk = |stats: &StoreStats| when::size(stats.containers + stats.records + stats.catalog + stats.index);
        let (messages, bytes) = (stats.map(|stats| stats.messages.to_string()), stats.map(on_disk));
        let (no, dir) = (store.no.to_string(), store.dir.display().to_string());
        let (messages, bytes) = (messages.unwrap_or_default(), bytes.unwrap_or_default());
        table.row(out, [&no, &store.name, store.state.name(), open_or_why(store), &messages, &bytes, &dir])?;
    }
    out.note(&format!("{}, {open} open", counted(stores.len() as u64, "store")))
}

/// Whether a store is open; if it should be and is not, the code of the error, which a warning tells in full.
fn open_or_why(store: &StoreInfo) -> &'static str {
    match store.error_code {
        Some(code) => code,
        None if store.state == StoreState::Disabled => "closed",
        None => "open",
    }
}

/// What a store is after a change.
fn changed(session: &Session, no: u32, what: &str, out: &mut Out) -> Result<(), Failure> {
    let stores = session.stores(false)?;
    let Some(store) = stores.iter().find(|store| store.no == no) else { return Ok(()) };
    if out.is_json() {
        return out.json(&lines::line("summary", store));
    }
    let (state, dir) = (store.state.name(), store.dir.display());
    out.line(&escape::line(&format!("{what}: store {no} ({}), {state}, in {dir}", store.name)))
}

fn retry(session: &Session, progress: &Progress, out: &mut Out) -> Result<Exit, Failure> {
    let errors = session.retry_open_stores(progress)?;
    if out.is_json() {
        errors.iter().try_for_each(|error| out.json(&lines::line("not_open", error)))?;
        out.json(&json!({ "event": "summary", "not_open": errors.len() }))?;
    } else {
        errors.iter().try_for_each(|error| out.line(&escape::line(&error.to_string())))?;
        if errors.is_empty() {
            out.note("every store that should be open is open")?;
        }
    }
    Ok(if errors.is_empty() { Exit::Done } else { Exit::Wrong })
}
