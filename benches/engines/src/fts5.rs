//! SQLite FTS5: a contentless table with a column for each field.
//!
//! It stores no dates, so mails are inserted by date, and row numbers represent dates; the order then costs nothing,
//! nor does a range.

use std::path::Path;

use archive_index::Field;
use benches::Result;
use benches::drawn::{DATES, Query};
use rusqlite::{Connection, params};

use crate::engine::{Answer, BUDGET, Built, Engine, NEWEST, words};
use crate::mails::Mails;

/// The engine.
pub struct Fts5;

impl Engine for Fts5 {
    fn name(&self) -> &'static str {
        "FTS5"
    }

    fn version(&self) -> String {
        format!("SQLite {}", rusqlite::version())
    }

    fn setting(&self) -> &'static str {
        "content='', columnsize=0, unicode61, hashsize and page cache as much as the others have; one transaction; mails by date, row numbers in the \
         place of dates"
    }

    fn build(&self, dir: &Path, mails: &Mails) -> Result<Box<dyn Built>> {
        let mut connection = Connection::open(dir.join("fts5.db"))?;
        let columns: Vec<String> = Field::ALL.iter().map(|field| format!("\"{}\"", field.name())).collect();
        connection.execute_batch(&format!(
            "PRAGMA cache_size = -{};
             CREATE VIRTUAL TABLE mails USING fts5({}, content='', columnsize=0, tokenize='unicode61');
             INSERT INTO mails(mails, rank) VALUES('hashsize', {BUDGET});",
            BUDGET >> 10,
            columns.join(", "),
        ))?;
        let transaction = connection.transaction()?;
        {
            let insert = format!("INSERT INTO mails(rowid, {}) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", columns.join(", "));
            let mut insert = transaction.prepare(&insert)?;
            for (at, row) in mails.by_date.iter().zip(1_i64..) {
                let [subject, from, to, cc, bcc, attachment, acontent, bcontent] = &mails.all[*at].fields;
                insert.execute(params![row, subject, from, to, cc, bcc, attachment, acontent, bcontent])?;
            }
        }
        transaction.commit()?;
        Ok(Box::new(Table { connection, dates: mails.by_date.iter().map(|at| mails.all[*at].columns.date).collect() }))
    }
}

struct Table {
    connection: Connection,
    /// By row number, which begins with 1.
    dates: Vec<i64>,
}

impl Built for Table {
    fn ready(&mut self) -> Result<()> {
        Ok(())
    }

    fn pack(&mut self) -> Result<()> {
        Ok(self.connection.execute_batch("INSERT INTO mails(mails) VALUES('optimize'); VACUUM;")?)
    }

    fn ask(&self, query: &Query) -> Result<Option<Answer>> {
        let Some(expression) = expression(query) else { return Ok(None) };
        let (mut first, mut last) = (1, self.dates.len());
        if matches!(query, Query::Five { .. }) {
            first = 1 + self.dates.partition_point(|date| *date < DATES.start);
            last = self.dates.partition_point(|date| *date < DATES.end);
        }
        let rows = "FROM mails WHERE mails MATCH ?1 AND rowid BETWEEN ?2 AND ?3";
        let values = params![expression, first as i64, last as i64];
        let total: i64 = self.connection.prepare_cached(&format!("SELECT count(*) {rows}"))?.query_row(values, |row| row.get(0))?;
        let mut newest = self.connection.prepare_cached(&format!("SELECT rowid {rows} ORDER BY rowid DESC LIMIT {NEWEST}"))?;
        let newest = newest.query_map(values, |row| row.get::<_, i64>(0))?;
        let date = |row: i64| usize::try_from(row - 1).ok().and_then(|at| self.dates.get(at)).copied().unwrap_or_default();
        let newest = newest.map(|row| Ok(date(row?))).collect::<Result<Vec<_>>>()?;
        Ok(Some(Answer { total: total.unsigned_abs(), newest }))
    }
}

/// A query as FTS5 reads it. No word may begin with a wildcard, and only the last word of a phrase may end with one.
fn expression(query: &Query) -> Option<String> {
    match query {
        Query::Word(word) => Some(format!("\"{word}\"")),
        Query::Prefix(start) => Some(format!("\"{start}\" *")),
        Query::Phrase(first, second) => Some(format!("\"{first} {second}\"")),
        Query::From(address) => Some(format!("\"from\" : \"{}\"", words(address).join(" "))),
        Query::Five { words: all, without, from } => {
            let mut clauses: Vec<String> = all.iter().map(|word| format!("\"{word}\"")).collect();
            let from = words(from).join(" ");
            if !from.is_empty() {
                clauses.push(format!("(\"from\" : \"{from}\" *)"));
            }
            Some(format!("({}) NOT \"{without}\"", clauses.join(" AND ")))
        }
        Query::Suffix(_)
        | Query::Infix(_)
        | Query::Ends(..)
        | Query::Domain(_)
        | Query::PrefixPhrase(..)
        | Query::Near(..)
        | Query::All => None,
    }
}
