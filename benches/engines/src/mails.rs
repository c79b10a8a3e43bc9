//! The mails of a run, as each engine receives them: the same texts, prepared before anything is measured.

use std::ops::ControlFlow;
use std::path::PathBuf;

use archive_core::mail::facts::id_hash;
use archive_core::mail::{self, AddressKind, Facts, Importance};
use archive_index::{Columns, Field, Label, LabelKind, Priority, SortKeys, Value, ValueKind};
use benches::Result;
use benches::corpora::each_mail;
use benches::drawn::{Dice, Drawing, SAMPLE, Words};

/// One mail.
pub struct Mail {
    values: Vec<(Field, ValueKind, String)>,
    /// By field, the values joined with line ends: for engines that have one text for each field.
    pub fields: [String; 8],
    /// Its ids and list, which an import gives to Mailkeep's index, and only to that.
    pub labels: Vec<Label>,
    /// Date, size, attachments, importance.
    pub columns: Columns,
    /// Subject, sender, recipient and address, mapped, for Mailkeep's index alone.
    sort: [String; 4],
}

impl Mail {
    /// What Mailkeep's index orders and counts by.
    pub fn sort_keys(&self) -> SortKeys<'_> {
        let [subject, sender, recipient, address] = &self.sort;
        SortKeys { subject, sender, recipient, address }
    }

    fn read(raw: &[u8], date_beside: Option<i64>) -> Self {
        let facts = mail::examine(raw).facts;
        let text = mail::text::extract(raw, &[]);
        let mut values = Vec::with_capacity(text.values.len());
        let mut fields: [String; 8] = Default::default();
        for value in text.values {
            let at = usize::from(value.field.number()) - 1;
            let kind = match value.kind {
                None => ValueKind::Text,
                Some(AddressKind::Name) => ValueKind::DisplayName,
                Some(AddressKind::Address) => ValueKind::Address,
            };
            if !fields[at].is_empty() {
                fields[at].push('\n');
            }
            fields[at].push_str(&value.text);
            values.push((Field::ALL[at], kind, value.text));
        }
        let columns = Columns {
            date: facts.date.or(date_beside).unwrap_or(0),
            size: raw.len() as u64,
            attachments: facts.attachments,
            priority: match facts.importance {
                Importance::Low => Priority::Low,
                Importance::Normal => Priority::Normal,
                Importance::High => Priority::High,
            },
            unsearchable: !text.unsearchable.is_empty(),
        };
        let first = |field: Field, kind: ValueKind| {
            values.iter().find(|(of, as_kind, _)| (*of, *as_kind) == (field, kind)).map_or("", |(_, _, text)| text.as_str())
        };
        let party = |field: Field| match first(field, ValueKind::DisplayName) {
            "" => first(field, ValueKind::Address),
            name => name,
        };
        let mapped = |text: &str| archive_index::fold(text).into_owned();
        let address = first(Field::From, ValueKind::Address).to_ascii_lowercase();
        let sort = [mapped(first(Field::Subject, ValueKind::Text)), mapped(party(Field::From)), mapped(party(Field::To)), address];
        Self { values, fields, labels: labels(&facts), columns, sort }
    }

    /// Its values, in the order of the mail.
    pub fn values(&self) -> Vec<Value<'_>> {
        self.values.iter().map(|(field, kind, text)| Value { field: *field, kind: *kind, text }).collect()
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(_, _, text)| text.as_str())
    }

    fn sender(&self) -> Option<&str> {
        let mut addresses = self.values.iter().filter(|(field, kind, _)| (*field, *kind) == (Field::From, ValueKind::Address));
        addresses.next().map(|(_, _, text)| text.as_str())
    }
}

fn labels(facts: &Facts) -> Vec<Label> {
    let referred = facts.in_reply_to.iter().chain(&facts.references);
    let mut labels: Vec<Label> = referred.map(|hash| Label { kind: LabelKind::Reference, bytes: hash.to_vec() }).collect();
    if !facts.header_message_id.is_empty() {
        labels.push(Label { kind: LabelKind::Id, bytes: id_hash(facts.header_message_id.as_bytes()).to_vec() });
    }
    if !facts.list_id.is_empty() {
        labels.push(Label { kind: LabelKind::List, bytes: facts.list_id.to_ascii_lowercase().into_bytes() });
    }
    labels
}

/// All mails, in the order of the sources.
#[derive(Default)]
pub struct Mails {
    /// The mails.
    pub all: Vec<Mail>,
    /// Bytes of the mails.
    pub raw: u64,
    /// Bytes of their values.
    pub text: u64,
    /// Where they are in `all`, by date.
    pub by_date: Vec<usize>,
}

impl Mails {
    /// Reads at most `most` mails.
    pub fn read(sources: &[PathBuf], most: usize) -> Result<Self> {
        let mut mails = Self::default();
        for source in sources {
            each_mail(source, |raw, date| {
                if mails.all.len() >= most {
                    return Ok(ControlFlow::Break(()));
                }
                let mail = Mail::read(&raw, date.map(|date| date.seconds));
                mails.raw += raw.len() as u64;
                mails.text += mail.texts().map(|text| text.len() as u64).sum::<u64>();
                mails.all.push(mail);
                Ok(ControlFlow::Continue(()))
            })?;
        }
        mails.by_date = (0..mails.all.len()).collect();
        mails.by_date.sort_by_key(|at| mails.all[*at].columns.date);
        Ok(mails)
    }

    /// Words for queries.
    pub fn words(&self, dice: &mut Dice) -> Result<Words> {
        let mut drawing = Drawing::default();
        for mail in self.all.iter().step_by((self.all.len() / SAMPLE).max(1)) {
            drawing.take(mail.texts(), mail.sender(), dice);
        }
        drawing.words()
    }
}
