//! How a content is put together.

/// A stretch of a content's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Bytes as they are, `len` of them.
    Literal {
        /// Bytes stored.
        len: u64,
    },
    /// Base64, stored decoded with the content.
    Decoded {
        /// Bytes stored.
        len: u64,
        /// How the lines run.
        wrap: Wrap,
    },
    /// A part, kept once a store.
    Part {
        /// Bytes stored.
        len: u64,
        /// How the lines of its base64 run; `None` if it stands as it is.
        wrap: Option<Wrap>,
    },
}

/// How the lines of a base64 body run (RFC 2045, 6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrap {
    /// Characters a line.
    pub line_len: u16,
    /// What ends a line.
    pub eol: Eol,
    /// Does the last line have its ending?
    pub ends_with_eol: bool,
}

/// A line ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eol {
    /// LF.
    Lf,
    /// CR LF.
    CrLf,
}
