//! Fields, and the finer zones by which postings distinguish names from addresses.

/// A field of a mail. The numbers are stable: saved queries contain them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Field {
    /// `subject:`
    Subject = 1,
    /// `from:`
    From = 2,
    /// `to:`
    To = 3,
    /// `cc:`
    Cc = 4,
    /// `bcc:`
    Bcc = 5,
    /// `attachment:`, file names of attachments.
    Attachment = 6,
    /// `acontent:`, text of attachments.
    AttachmentContent = 7,
    /// `bcontent:`, all other text.
    Body = 8,
}

impl Field {
    /// All fields, by number.
    pub const ALL: [Field; 8] =
        [Field::Subject, Field::From, Field::To, Field::Cc, Field::Bcc, Field::Attachment, Field::AttachmentContent, Field::Body];

    /// The name that the query language gives it, without the colon.
    pub fn name(self) -> &'static str {
        match self {
            Field::Subject => "subject",
            Field::From => "from",
            Field::To => "to",
            Field::Cc => "cc",
            Field::Bcc => "bcc",
            Field::Attachment => "attachment",
            Field::AttachmentContent => "acontent",
            Field::Body => "bcontent",
        }
    }

    /// The field with that name, in any case; `filename` is another name of `attachment`.
    pub fn named(name: &str) -> Option<Field> {
        if name.eq_ignore_ascii_case("filename") {
            return Some(Field::Attachment);
        }
        Self::ALL.into_iter().find(|field| field.name().eq_ignore_ascii_case(name))
    }
}

/// What a value is within its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// Text: words.
    Text,
    /// The display name of an address: words.
    DisplayName,
    /// A complete address: words, and one string for bare exclusions (S2.4).
    Address,
}

/// One value of a document: a header value, a name, an address, a body part, an attachment. Positions of one value are
/// never adjacent to those of another.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// The field of the value.
    pub field: Field,
    /// What it is in that field.
    pub kind: ValueKind,
    /// Its decoded text.
    pub text: &'a str,
}

/// A set of zones. Numbers are part of the format: docs/FORMAT-INDEX.md, "Zones".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Zones(pub(crate) u16);

/// How many zones there are.
pub(crate) const ZONES: u8 = 12;

impl Zones {
    pub(crate) const ALL: Zones = Zones((1 << ZONES) - 1);
    /// The zones in which a bare exclusion compares by words: all but addresses.
    pub(crate) const WITHOUT_ADDRESSES: Zones = Zones(Self::ALL.0 & !Self::ADDRESSES.0);
    /// The zones of addresses.
    pub(crate) const ADDRESSES: Zones = Zones(1 << 3 | 1 << 5 | 1 << 7 | 1 << 9);

    /// Everything that belongs to `field`.
    pub(crate) fn of(field: Field) -> Zones {
        Zones(match field {
            Field::Body => 1,
            Field::AttachmentContent => 1 << 1,
            Field::Subject => 1 << 2,
            Field::From => 1 << 3 | 1 << 4,
            Field::To => 1 << 5 | 1 << 6,
            Field::Cc => 1 << 7 | 1 << 8,
            Field::Bcc => 1 << 9 | 1 << 10,
            Field::Attachment => 1 << 11,
        })
    }
}

/// The zone of a value.
pub(crate) fn zone(field: Field, kind: ValueKind) -> u8 {
    let name = u8::from(kind != ValueKind::Address);
    match field {
        Field::Body => 0,
        Field::AttachmentContent => 1,
        Field::Subject => 2,
        Field::From => 3 + name,
        Field::To => 5 + name,
        Field::Cc => 7 + name,
        Field::Bcc => 9 + name,
        Field::Attachment => 11,
    }
}
