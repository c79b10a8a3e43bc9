//! The texts by which the index orders and counts a mail (S4.5, S4.6).

use std::borrow::Cow;

use archive_index::SortKeys;

use crate::catalog::ContentRow;

/// The sort keys of a content.
pub(super) struct MailKeys<'r> {
    subject: Cow<'r, str>,
    sender: Cow<'r, str>,
    recipient: Cow<'r, str>,
    address: String,
}

impl<'r> MailKeys<'r> {
    pub(super) fn of(row: &'r ContentRow) -> Self {
        Self {
            subject: archive_index::fold(&row.subject),
            sender: archive_index::fold(party(&row.from)),
            recipient: archive_index::fold(party(&row.to)),
            address: address(&row.from),
        }
    }

    pub(super) fn as_keys(&self) -> SortKeys<'_> {
        SortKeys { subject: &self.subject, sender: &self.sender, recipient: &self.recipient, address: &self.address }
    }
}

/// The name of the first person, else the address. People are names and addresses in turn.
fn party(people: &[String]) -> &str {
    match people {
        [name, address, ..] if name.is_empty() => address,
        [name, ..] => name,
        [] => "",
    }
}

/// The address of the first person in lower case, else the name.
fn address(people: &[String]) -> String {
    match people {
        [name, address, ..] if address.is_empty() => name.clone(),
        [_, address, ..] => address.to_ascii_lowercase(),
        _ => String::new(),
    }
}
