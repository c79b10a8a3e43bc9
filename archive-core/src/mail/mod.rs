//! What the archive understands of a mail: its structure, header facts, how it is split and joined, its text.
//!
//! Pure functions of bytes: no clock, no files, no randomness. Every mail is accepted, whatever it is (P12): what is
//! not understood is one literal leaf. A bounded, streaming walker ([`walk`]) finds the structure, since exact ranges
//! matter and a mail may have 1 GB. Header fields follow small rules (docs/TEXT.md), the same for lists and for the
//! index, since an oracle must be able to follow them.

mod address;
mod charset;
pub(crate) mod date;
mod examine;
pub mod facts;
mod file_names;
mod flowed;
mod header_text;
mod html;
pub mod identity;
pub mod join;
pub(crate) mod labels;
mod layers;
pub mod media;
mod part_reader;
mod restated;
mod saved_name;
pub mod split;
pub mod text;
mod text_body;
mod text_reader;
mod transfer;
mod treatment;
mod view;
pub mod walk;

pub use examine::{Examination, Examined, Examiner, examine};
pub use facts::{Facts, Importance, Mailbox};
pub use join::{JoinError, Joiner};
pub use part_reader::{HeaderReader, PartReader};
pub(crate) use split::Discard;
pub use split::{Eol, Extent, SplitSink, Wrap};
pub use text::{AddressKind, Field, MailText, TextReader, Unsearchable, Value, Why};
pub use treatment::is_read;
pub use view::{MOST_SHOWN, Part, PartKind, PartText, View, Viewer, view};
