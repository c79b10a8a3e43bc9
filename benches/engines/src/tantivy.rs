//! tantivy: a text field for each field of the mail, with positions and nothing that only scores need; dates, sizes and
//! attachments as fast fields.

use std::ops::Bound;
use std::path::Path;

use archive_index::Field as MailField;
use benches::Result;
use benches::drawn::{DATES, Query};
use tantivy::collector::{Count, TopDocs};
use tantivy::indexer::IndexWriterOptions;
use tantivy::query::{
    AllQuery, BooleanQuery, FuzzyTermQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query as TantivyQuery, RangeQuery, RegexPhraseQuery,
    RegexQuery, TermQuery,
};
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexReader, IndexWriter, Order, ReloadPolicy, TantivyDocument, Term};

use crate::engine::{Answer, BUDGET, Built, Engine, NEWEST, words};
use crate::mails::Mails;

/// The engine.
pub struct Tantivy;

impl Engine for Tantivy {
    fn name(&self) -> &'static str {
        "tantivy"
    }

    fn version(&self) -> String {
        tantivy::version_string().to_owned()
    }

    fn setting(&self) -> &'static str {
        "tokenizer default, with positions, without fieldnorms, nothing stored; date, size and attachments as fast fields; one indexing and one merging \
         thread; commit, and wait for merges"
    }

    fn build(&self, dir: &Path, mails: &Mails) -> Result<Box<dyn Built>> {
        let (schema, fields) = schema();
        let index = Index::create_in_dir(dir, schema)?;
        let mut writer = writer(&index)?;
        for mail in &mails.all {
            let mut document = TantivyDocument::new();
            for (field, text) in fields.texts.iter().zip(&mail.fields) {
                if !text.is_empty() {
                    document.add_text(*field, text);
                }
            }
            document.add_i64(fields.date, mail.columns.date);
            document.add_u64(fields.size, mail.columns.size);
            document.add_u64(fields.attachments, u64::from(mail.columns.attachments));
            writer.add_document(document)?;
        }
        writer.commit()?;
        writer.wait_merging_threads()?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Box::new(Segments { index, reader, fields }))
    }
}

struct Fields {
    /// In the order of the fields of a mail.
    texts: Vec<Field>,
    from: Field,
    date: Field,
    size: Field,
    attachments: Field,
}

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqsAndPositions).set_fieldnorms(false);
    let options = TextOptions::default().set_indexing_options(indexing);
    let mut text = |field: MailField| schema.add_text_field(field.name(), options.clone());
    let texts: Vec<Field> = MailField::ALL.into_iter().map(&mut text).collect();
    let from = texts[MailField::From as usize - 1];
    let date = schema.add_i64_field("date", FAST);
    let size = schema.add_u64_field("size", FAST);
    let attachments = schema.add_u64_field("attachments", FAST);
    (schema.build(), Fields { texts, from, date, size, attachments })
}

fn writer(index: &Index) -> Result<IndexWriter> {
    let options = IndexWriterOptions::builder().num_worker_threads(1).num_merge_threads(1).memory_budget_per_thread(BUDGET).build();
    Ok(index.writer_with_options(options)?)
}

struct Segments {
    index: Index,
    reader: IndexReader,
    fields: Fields,
}

impl Built for Segments {
    fn ready(&mut self) -> Result<()> {
        self.reader.reload()?;
        let writer = writer(&self.index)?;
        writer.garbage_collect_files().wait()?;
        Ok(writer.wait_merging_threads()?)
    }

    fn pack(&mut self) -> Result<()> {
        let segments = self.index.searchable_segment_ids()?;
        let mut writer = writer(&self.index)?;
        if segments.len() > 1 {
            writer.merge(&segments).wait()?;
        }
        Ok(writer.wait_merging_threads()?)
    }

    fn ask(&self, query: &Query) -> Result<Option<Answer>> {
        let Some(query) = self.query(query)? else { return Ok(None) };
        let newest = TopDocs::with_limit(NEWEST).order_by_fast_field::<i64>("date", Order::Desc);
        let (total, newest) = self.reader.searcher().search(&query, &(Count, newest))?;
        Ok(Some(Answer { total: total as u64, newest: newest.into_iter().filter_map(|(date, _)| date).collect() }))
    }
}

type Clause = Box<dyn TantivyQuery>;

impl Segments {
    /// A query for tantivy. A word that begins with a wildcard becomes a regular expression, which is tried on every
    /// word.
    fn query(&self, query: &Query) -> Result<Option<Clause>> {
        Ok(Some(match query {
            Query::Word(word) => self.any(|field| Ok(phrase(field, std::slice::from_ref(word))))?,
            Query::Prefix(start) => self.any(|field| Ok(prefix(field, std::slice::from_ref(start))))?,
            Query::Suffix(end) => self.any(|field| regex(field, &format!(".*{end}")))?,
            Query::Infix(inner) => self.any(|field| regex(field, &format!(".*{inner}.*")))?,
            Query::Ends(start, end) => self.any(|field| regex(field, &format!("{start}.*{end}")))?,
            Query::From(address) => phrase(self.fields.from, &words(address)),
            Query::PrefixPhrase(first, second) => self.any(|field| {
                let mut query = RegexPhraseQuery::new(field, vec![format!("{first}.*"), format!("{second}.*")]);
                query.set_max_expansions(u32::MAX);
                Ok(Box::new(query))
            })?,
            Query::Phrase(first, second) => self.any(|field| Ok(phrase(field, &[first.clone(), second.clone()])))?,
            Query::Five { words: all, without, from } => {
                let word = |word: &String| self.any(|field| Ok(phrase(field, std::slice::from_ref(word))));
                let mut clauses = Vec::new();
                for one in all {
                    clauses.push((Occur::Must, word(one)?));
                }
                clauses.push((Occur::MustNot, word(without)?));
                let from = words(from);
                if !from.is_empty() {
                    clauses.push((Occur::Must, prefix(self.fields.from, &from)));
                }
                let date = |seconds| Term::from_field_i64(self.fields.date, seconds);
                let dates = RangeQuery::new(Bound::Included(date(DATES.start)), Bound::Excluded(date(DATES.end)));
                clauses.push((Occur::Must, Box::new(dates)));
                Box::new(BooleanQuery::new(clauses))
            }
            Query::Near(word, errors) => {
                self.any(|field| Ok(Box::new(FuzzyTermQuery::new(Term::from_field_text(field, word), *errors, false))))?
            }
            Query::All => Box::new(AllQuery),
            Query::Domain(_) => return Ok(None),
        }))
    }

    /// A clause that any text field may meet.
    fn any(&self, clause: impl Fn(Field) -> Result<Clause>) -> Result<Clause> {
        let clauses = self.fields.texts.iter().map(|field| clause(*field)).collect::<Result<Vec<_>>>()?;
        Ok(Box::new(BooleanQuery::union(clauses)))
    }
}

/// Consecutive words; matches nothing if there is none.
fn phrase(field: Field, words: &[String]) -> Clause {
    let mut terms: Vec<Term> = words.iter().map(|word| Term::from_field_text(field, word)).collect();
    match terms.len() {
        0 => Box::new(BooleanQuery::union(Vec::new())),
        1 => Box::new(TermQuery::new(terms.remove(0), IndexRecordOption::Basic)),
        _ => Box::new(PhraseQuery::new(terms)),
    }
}

/// The same, with only the beginning of the last word; `words` is not empty.
fn prefix(field: Field, words: &[String]) -> Clause {
    let mut query = PhrasePrefixQuery::new(words.iter().map(|word| Term::from_field_text(field, word)).collect());
    // After other words it allocates for that many at once.
    query.set_max_expansions(if words.len() == 1 { u32::MAX } else { 1 << 12 });
    Box::new(query)
}

fn regex(field: Field, pattern: &str) -> Result<Clause> {
    Ok(Box::new(RegexQuery::from_pattern(pattern, field)?))
}
