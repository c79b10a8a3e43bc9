//! Criteria (S3, A22): everything that a search can ask, as one value with one form in JSON, which saved searches,
//! rules and other programs use. Relative dates stay relative: they are resolved when the search is run.

use std::fmt;

use archive_index::{DateSpan, Field, Filter, FilterKind, Period, Query, Scope, parse_in};
use serde::{Deserialize, Deserializer, Serialize};

use crate::archive::actor::{FolderScope, yes};
use crate::error::Error;

/// The version of the JSON form.
const VERSION: u32 = 1;

/// What a search asks. A message must meet every criterion; those left at their default restrict nothing.
///
/// Its JSON form is read by [`Self::from_json`], or as a field of other values. In both cases, unknown keys and
/// versions are an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SearchCriteria {
    #[serde(deserialize_with = "known_version")]
    version: u32,
    #[serde(default = "language", deserialize_with = "known_language")]
    language: u32,
    /// A query in the language of docs/SEARCH.md.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Where terms of `text` that name no field are searched; this includes exclusions.
    #[serde(rename = "in", default = "everywhere", skip_serializing_if = "is_everywhere")]
    pub look_in: Vec<SearchField>,
    /// The folders of the messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderScope>,
    /// A query for the senders.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// A query for the receivers, whether in To, Cc or Bcc.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recipients: String,
    /// The date of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<DateRange>,
    /// The time of archiving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<DateRange>,
    /// Whether messages with attachments are found.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub with_attachments: bool,
    /// Whether messages without attachments are found.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub without_attachments: bool,
    /// Bytes of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<SizeRange>,
    /// Importance that the sender set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<Level>,
    /// The number of a store; only for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<u32>,
    /// The zone in which days begin: a name such as `Europe/Berlin`, or an offset such as `+02:00`. UTC by default.
    #[serde(default = "utc", skip_serializing_if = "is_utc")]
    pub zone: String,
    /// The order of hits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub order: Order,
}

fn language() -> u32 {
    archive_index::LANGUAGE
}

fn everywhere() -> Vec<SearchField> {
    SearchField::ALL.to_vec()
}

fn is_everywhere(fields: &[SearchField]) -> bool {
    SearchField::ALL.iter().all(|field| fields.contains(field))
}

fn utc() -> String {
    "UTC".to_owned()
}

fn is_utc(zone: &str) -> bool {
    zone == "UTC"
}

fn is_true(value: &bool) -> bool {
    *value
}

fn is_default(order: &Order) -> bool {
    *order == Order::default()
}

/// The switches of "search in" (A22.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchField {
    /// The subject.
    Subject,
    /// Senders and receivers: From, To, Cc and Bcc.
    Parties,
    /// The text of the message.
    Content,
    /// File names of attachments.
    AttachmentNames,
    /// Text of attachments.
    AttachmentContents,
}

impl SearchField {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Subject, Self::Parties, Self::Content, Self::AttachmentNames, Self::AttachmentContents];

    fn fields(self) -> &'static [Field] {
        match self {
            Self::Subject => &[Field::Subject],
            Self::Parties => &[Field::From, Field::To, Field::Cc, Field::Bcc],
            Self::Content => &[Field::Body],
            Self::AttachmentNames => &[Field::Attachment],
            Self::AttachmentContents => &[Field::AttachmentContent],
        }
    }
}

/// Dates: one period by name, or from the start of one to the end of another, in the forms of S2.6.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateRange {
    /// A whole period, such as `last-month` or `2024-03`; excludes `from` and `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// From the start of this period on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Up to the end of this period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl DateRange {
    fn span(&self, what: &str) -> Result<DateSpan, Error> {
        let read = |text: &Option<String>| match text.as_deref() {
            None => Ok(None),
            Some(text) => {
                let hint = "dates look like 2024, 2024-03, 2024-03-01, 30.11.2020, 2024-03-01T12:00, 7d, 1y, yesterday or last-month";
                Period::read(text).map(Some).ok_or_else(|| Error::query(format!("{what}: `{text}` is not a date; {hint}")))
            }
        };
        match &self.period {
            None => Ok(DateSpan { from: read(&self.from)?, to: read(&self.to)? }),
            Some(_) if self.from.is_some() || self.to.is_some() => {
                Err(Error::query(format!("{what}: give a period, or from and to, not both")))
            }
            Some(period) => DateSpan::read(period).ok_or_else(|| Error::query(format!("{what}: `{period}` is not a period"))),
        }
    }
}

impl fmt::Display for DateRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        match &self.period {
            Some(period) => f.write_str(period),
            None => write!(f, "{}..{}", of(&self.from), of(&self.to)),
        }
    }
}

/// Sizes in bytes, bounds included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeRange {
    /// At least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// Importance by name (A22.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Below normal.
    Low,
    /// Normal, or not stated.
    Normal,
    /// Above normal.
    High,
}

/// The order of hits. Hits with equal keys come newest first, those with equal dates highest number first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The key.
    #[serde(default)]
    pub by: OrderKey,
    /// Reverses the order.
    #[serde(default)]
    pub reverse: bool,
}

/// What hits are ordered by (S4.5). Text is compared as it is searched: mapped, by code point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderKey {
    /// Its date, newest first.
    #[default]
    Date,
    /// Time of archiving, newest first.
    Archived,
    /// The other party: the receiver of a sent mail, else the sender.
    Party,
    /// Display name of the first sender, else their address.
    Sender,
    /// The subject.
    Subject,
    /// Bytes, largest first.
    Size,
    /// The path of the folder.
    Folder,
}

fn known_version<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    known(from, VERSION, "version")
}

fn known_language<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    known(from, archive_index::LANGUAGE, "query language")
}

fn known<'de, D: Deserializer<'de>>(from: D, known: u32, what: &str) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        number if number == known => Ok(number),
        number => Err(serde::de::Error::custom(format!("{what} {number} is not known; update this program"))),
    }
}

impl Default for SearchCriteria {
    fn default() -> Self {
        Self {
            version: VERSION,
            language: language(),
            text: String::new(),
            look_in: everywhere(),
            folder: None,
            from: String::new(),
            recipients: String::new(),
            date: None,
            archived: None,
            with_attachments: true,
            without_attachments: true,
            size: None,
            importance: None,
            store: None,
            zone: utc(),
            order: Order::default(),
        }
    }
}

impl SearchCriteria {
    /// Criteria that consist of a query only.
    #[must_use]
    pub fn of_text(query: &str) -> Self {
        Self { text: query.to_owned(), ..Self::default() }
    }

    /// Reads the JSON form. Unknown keys and versions are an error: a criterion must not be ignored.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| Error::query(format!("criteria: {error}")))
    }

    /// The JSON form, without criteria that are at their default.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialization of these types cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The query that the text is.
    pub(super) fn text_query(&self) -> Result<Query, Error> {
        let fields: Vec<Field> = self.look_in.iter().flat_map(|switch| switch.fields()).copied().collect();
        let failed = |error: archive_index::QueryError| Error::Query {
            message: format!("{}; {}", error.problem, error.expected),
            range: Some(error.range),
        };
        let text = parse_in(&self.text, Scope::Any(&fields)).map_err(failed)?;
        if fields.is_empty() && !text.is_empty() {
            return Err(Error::query("text is given and nothing to look for it in: switch on one of the fields"));
        }
        Ok(text)
    }

    /// All criteria as one query; `None` if nothing can be found.
    pub(super) fn query(&self) -> Result<Option<Query>, Error> {
        let failed = |what: &str, error: archive_index::QueryError| Error::query(format!("{what}: {error}"));
        let mut parts = vec![self.text_query()?];
        for (what, text, fields) in
            [("from", &self.from, &[Field::From][..]), ("recipients", &self.recipients, &[Field::To, Field::Cc, Field::Bcc])]
        {
            parts.push(parse_in(text, Scope::Named(fields)).map_err(|error| failed(what, error))?);
        }
        let mut filter = |kind, written: &str| parts.push(Query::of_filter(Filter { kind, written: written.into() }));
        if let Some(FolderScope { path, subfolders }) = &self.folder {
            filter(FilterKind::Folder { path: path.clone(), subfolders: *subfolders }, &format!("folder:{path}"));
        }
        if let Some(range) = &self.date {
            filter(FilterKind::Date(range.span("date")?), &format!("date:{range}"));
        }
        if let Some(range) = &self.archived {
            filter(FilterKind::Archived(range.span("archived")?), &format!("archived:{range}"));
        }
        if let Some(SizeRange { min, max }) = self.size {
            // Without bounds it means any size.
            if let Some(min) = min.or(max.is_none().then_some(0)) {
                filter(FilterKind::Larger(min), &format!("size:{min}.."));
            }
            if let Some(max) = max {
                filter(FilterKind::Smaller(max), &format!("size:..{max}"));
            }
        }
        if self.with_attachments != self.without_attachments {
            let written = if self.with_attachments { "with attachments" } else { "without attachments" };
            filter(FilterKind::Attachments(self.with_attachments), written);
        }
        if let Some(level) = self.importance {
            let priority = match level {
                Level::Low => archive_index::Priority::Low,
                Level::Normal => archive_index::Priority::Normal,
                Level::High => archive_index::Priority::High,
            };
            filter(FilterKind::Priority(priority), &format!("importance:{}", format!("{level:?}").to_lowercase()));
        }
        let query = Query::all_of(parts);
        let nothing_asked = query.is_empty() && self.store.is_none();
        let never = !self.with_attachments && !self.without_attachments;
        if nothing_asked || never {
            return Ok(None);
        }
        Ok(Some(if query.is_empty() { Query::everything() } else { query }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_1_criteria_come_back_from_json() {
        let mut criteria = SearchCriteria::of_text("invoice -draft");
        assert_eq!(criteria.to_json(), r#"{"version":1,"language":1,"text":"invoice -draft"}"#);
        criteria.folder = Some(FolderScope::exactly("anna/Inbox"));
        criteria.archived = Some(DateRange { period: Some("last-month".to_owned()), ..DateRange::default() });
        criteria.size = Some(SizeRange { min: Some(1), max: None });
        criteria.order = Order { by: OrderKey::Sender, reverse: true };
        criteria.look_in = vec![SearchField::AttachmentNames];
        criteria.with_attachments = false;
        assert_eq!(SearchCriteria::from_json(&criteria.to_json()).unwrap(), criteria);
    }

    #[test]
    fn s3_1_what_is_not_understood_is_refused() {
        for text in [
            r#"{"version":2}"#,
            r#"{"version":1,"language":2}"#,
            r#"{"version":1,"colour":"red"}"#,
            r#"{"version":1,"folder":{"path":"a","depth":3}}"#,
            r#"{"version":1,"importance":"urgent"}"#,
            r#"{}"#,
            "no json",
        ] {
            assert!(matches!(SearchCriteria::from_json(text), Err(Error::Query { .. })), "{text}");
            let saved = format!(r#"[{text}]"#);
            assert!(serde_json::from_str::<Vec<SearchCriteria>>(&saved).is_err(), "{saved}");
        }
    }

    #[test]
    fn a22_7_a22_9_switches() {
        let mut criteria = SearchCriteria { look_in: Vec::new(), ..SearchCriteria::of_text("word") };
        assert!(criteria.query().is_err(), "text and nowhere to look");
        criteria.text.clear();
        assert_eq!(criteria.query().unwrap(), None, "nothing is asked");
        criteria.store = Some(1);
        assert!(criteria.query().unwrap().is_some(), "all of a store");
        criteria.with_attachments = false;
        assert!(criteria.query().unwrap().is_some());
        criteria.without_attachments = false;
        assert_eq!(criteria.query().unwrap(), None, "neither with nor without");
        let shown = |min, max| {
            let criteria = SearchCriteria { size: Some(SizeRange { min, max }), ..SearchCriteria::default() };
            criteria.query().unwrap().map(|query| query.to_string())
        };
        assert_eq!(shown(Some(5), None).as_deref(), Some("size:5.."));
        assert_eq!(shown(Some(5), Some(9)).as_deref(), Some("size:5.. size:..9"));
        assert_eq!(shown(None, None).as_deref(), Some("size:0.."));
    }
}
