//! Memory while a mail of a gigabyte passes: bounded, and nothing is spooled. Linux only, as it asks the system for the peak.

#[cfg(target_os = "linux")]
#[test]
fn a_mail_of_a_gigabyte_passes_a_stream_in_bounded_memory() {
    use std::io::Read;
    use std::ops::ControlFlow;

    use archive_core::source::{Body, Item, SourceOptions, SourceVisitor, Trouble, read_stream};

    struct Drain(u64, u64);
    impl SourceVisitor for Drain {
        fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
            self.0 += 1;
            self.1 += match item.body {
                Body::Whole(mail) => mail.len() as u64,
                Body::Stream { head, rest } => {
                    head.len() as u64 + std::io::copy(rest, &mut std::io::sink()).expect("the source has no errors")
                }
            };
            ControlFlow::Continue(())
        }
        fn trouble(&mut self, trouble: Trouble) {
            panic!("{trouble:?}");
        }
    }

    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line of it");
        line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number")
    };
    let line: &[u8] = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\n";
    let size: u64 = 1 << 30;
    let body = std::iter::repeat_n(line, 1024).collect::<Vec<_>>().concat();
    let start: &[u8] = b"From a@b Sat Jan  3 01:05:34 1996\nSubject: large\n\n";
    let end: &[u8] = b"\nFrom a@b Sat Jan  3 01:05:34 1996\nSubject: small\n\nText\n";
    let before = peak();
    let mut drain = Drain(0, 0);
    let mut middle = Repeat { body: &body, left: size };
    read_stream(start.chain(&mut middle).chain(&b"\n"[..]).chain(end), "", SourceOptions::default(), &mut drain);
    assert_eq!(drain.0, 2);
    assert!(drain.1 > size);
    assert!(peak() - before < 96 << 10, "{} KiB", peak() - before);
}

/// A text again and again.
#[cfg(target_os = "linux")]
struct Repeat<'a> {
    body: &'a [u8],
    left: u64,
}

#[cfg(target_os = "linux")]
impl std::io::Read for Repeat<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = out.len().min(self.body.len()).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let whole_lines = if len == self.body.len() { len } else { len - len % 70 };
        let len = if whole_lines == 0 { len } else { whole_lines };
        out[..len].copy_from_slice(&self.body[..len]);
        self.left -= len as u64;
        Ok(len)
    }
}
