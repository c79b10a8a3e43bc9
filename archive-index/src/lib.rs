//! The full-text index: text in, numbers out. Knows no keys, no paths, no mail.
