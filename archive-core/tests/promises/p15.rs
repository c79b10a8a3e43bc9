//! Bounded memory: by a budget, not by the size of a mail. Measured in a process of its own, by the system's high-water mark.

use std::io::Read;
use std::process::Command;

use archive_core::{Actor, Archive, CreateOptions, Digest, ImportOptions, ImportSource};

use crate::fixture::{Dice, Told, committed};

const CHILD: &str = "MAILKEEP_TEST_LARGE_MAIL";
const LEN: u64 = 300 << 20;

/// A mail of any length that is nowhere whole: a header, then lines.
struct Endless {
    lines: Vec<u8>,
    head: &'static [u8],
    left: u64,
    at: usize,
}

impl Endless {
    fn new(base64: bool) -> Self {
        let mut dice = Dice(3);
        let lines = if base64 {
            crate::fixture::base64(&dice.bytes(57 * 7001), 76, "\n").into_bytes()
        } else {
            (0..60_000).flat_map(|at| format!("{} {}", dice.word(), if at % 9 == 8 { "\n" } else { "" }).into_bytes()).collect()
        };
        let head: &[u8] =
            if base64 { b"Subject: large\nContent-Type: video/mp4\nContent-Transfer-Encoding: base64\n\n" } else { b"Subject: large\n\n" };
        Self { lines, head, left: LEN, at: 0 }
    }
}

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if !self.head.is_empty() {
            return self.head.read(buf);
        }
        let len = buf.len().min(self.lines.len() - self.at).min(usize::try_from(self.left).expect("fits"));
        buf[..len].copy_from_slice(&self.lines[self.at..self.at + len]);
        self.at = (self.at + len) % self.lines.len();
        self.left -= len as u64;
        Ok(len)
    }
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its high-water mark");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number") << 10
}

#[test]
fn a_mail_of_300_megabytes_takes_no_more_memory_than_the_budget() {
    if !cfg!(target_os = "linux") {
        println!("skipped: only Linux tells the high-water mark");
        return;
    }
    let Ok(kind) = std::env::var(CHILD) else {
        for kind in ["base64", "text"] {
            let name = "p15::a_mail_of_300_megabytes_takes_no_more_memory_than_the_budget";
            let child = Command::new(std::env::current_exe().expect("this program"))
                .args([name, "--exact", "--nocapture"])
                .env(CHILD, kind)
                .status()
                .expect("a child");
            assert!(child.success(), "{kind}");
        }
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let archive = committed(Archive::create(dir.path(), CreateOptions::new("anna"))).0;
    let session = archive.session(Actor::System);
    let mut told = Told::default();
    let source = &mut Endless::new(kind == "base64");
    let report = session.import(ImportSource::Stream(source, "large.eml"), &ImportOptions::default(), &mut told).expect("imported");
    assert_eq!((report.stored, report.failed), (1, 0), "{report:?}");
    let mut len = 0;
    session
        .read(told.receipts[0].id(), &mut |bytes| {
            len += bytes.len() as u64;
            Ok(())
        })
        .expect("readable");
    assert_eq!(len, report.bytes_in);
    assert!(len > LEN);
    let mut expected = <sha2_of_stream::Hasher as Default>::default();
    let mut again = Endless::new(kind == "base64");
    let mut window = vec![0; 1 << 16];
    while let Some(len) = again.read(&mut window).ok().filter(|len| *len > 0) {
        expected.update(&window[..len]);
    }
    assert_eq!(Digest(expected.finish()), told.receipts[0].digest());
    archive.close().expect("closed");
    println!("{kind}: peak {} MiB", peak() >> 20);
    assert!(peak() < 200 << 20, "{kind}: {} MiB", peak() >> 20);
}

mod sha2_of_stream {
    use sha2::Digest as _;

    #[derive(Default)]
    pub struct Hasher(sha2::Sha256);

    impl Hasher {
        pub fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub fn finish(self) -> [u8; 32] {
            self.0.finalize().into()
        }
    }
}
