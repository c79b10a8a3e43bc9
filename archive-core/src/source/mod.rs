//! Readers of mailboxes: bytes with a place and a date, one mail at a time.
