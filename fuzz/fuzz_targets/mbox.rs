//! Any bytes are a source: the mails do not depend on the pieces that the system returns, and the totals are right.
#![no_main]

use std::io::Read;
use std::ops::ControlFlow;

use archive_core::source::{Body, Format, Item, SourceOptions, SourceVisitor, Trouble, mbox_quote, read_stream};

#[derive(Default, PartialEq, Debug)]
struct Seen {
    mails: Vec<(u64, Option<Vec<u8>>, Vec<u8>)>,
    troubles: Vec<Trouble>,
}

impl SourceVisitor for Seen {
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        let mail = match item.body {
            Body::Whole(mail) => mail,
            Body::Stream { mut head, rest } => {
                rest.read_to_end(&mut head).expect("a stream that does not fail");
                head
            }
        };
        self.mails.push((item.offset, item.from_line, mail));
        ControlFlow::Continue(())
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.troubles.push(trouble);
    }
}

struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let len = buf.len().min(self.1);
        self.0.read(&mut buf[..len])
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [format, piece, bytes @ ..] = bytes else { return };
    let formats = [
        None,
        Some(Format::Mbox),
        Some(Format::Mboxo),
        Some(Format::Mboxrd),
        Some(Format::Mboxcl),
        Some(Format::Mboxcl2),
        Some(Format::Listserv),
        Some(Format::Eml),
        Some(Format::Emlx),
        Some(Format::Mmdf),
    ];
    let options = SourceOptions { format: formats[usize::from(*format) % formats.len()], with_deleted: format & 0x80 != 0 };
    let read = |piece| {
        let mut seen = Seen::default();
        let summary = read_stream(Pieces(bytes, piece), "", options, &mut seen);
        assert_eq!(summary.mails, seen.mails.len() as u64);
        (summary, seen)
    };
    assert_eq!(read(usize::from(*piece) + 1), read(usize::MAX));
    let _ = mbox_quote::quote(bytes);
});
