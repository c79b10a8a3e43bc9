//! Sealed: no word of a mail, address, file name or folder name stands readable in any file, during work or after it.

use archive_core::{Actor, ImportEvents, ImportOptions, ImportSource, Receipt};

use crate::fixture::{Files, ask, folder, mbox, mixed, plain, put_each};

/// Words of seven bytes and more, in the bytes and in attachments.
fn words(mails: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = mails
        .iter()
        .flat_map(|mail| mail.split(|byte| !byte.is_ascii_alphanumeric()))
        .filter(|word| (7..40).contains(&word.len()))
        .map(<[u8]>::to_vec)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Words by their first four bytes, so that a scan looks at each place once.
struct Needles(std::collections::HashMap<[u8; 4], Vec<Vec<u8>>>);

impl Needles {
    fn new(words: Vec<Vec<u8>>) -> Self {
        let mut map = std::collections::HashMap::<_, Vec<_>>::new();
        for word in words {
            map.entry([word[0], word[1], word[2], word[3]]).or_default().push(word);
        }
        Self(map)
    }

    fn look(&self, files: &Files) {
        for path in files.paths() {
            let name = path.to_string_lossy().into_owned();
            let bytes = files.bytes(&path);
            for text in [name.as_bytes(), &bytes] {
                for (at, window) in text.windows(4).enumerate() {
                    let first = <[u8; 4]>::try_from(window).expect("four");
                    for word in self.0.get(&first).into_iter().flatten() {
                        assert!(!text[at..].starts_with(word), "{name} at {at}: {}", String::from_utf8_lossy(word));
                    }
                }
            }
        }
    }
}

/// Looks at all files whenever some mails are durable.
struct Looking<'a>(&'a Needles, &'a Files, usize);

impl ImportEvents for Looking<'_> {
    fn receipt(&mut self, _: &Receipt) {
        self.2 += 1;
        if self.2.is_multiple_of(10) {
            self.0.look(self.1);
        }
    }
}

#[test]
fn no_word_stands_readable_in_any_file() {
    let mut mails = mixed();
    mails.extend(plain(40, 40, 31));
    let mut all = words(&mails);
    all.extend([b"zanzibar".to_vec(), b"Treasurer".to_vec(), b"someone@example.org".to_vec(), b"kilimanjaro".to_vec()]);
    // The scheme of the archive itself names these.
    all.retain(|word| word != b"archive" && word != b"content" && word != b"catalog" && word != b"records");
    let needles = Needles::new(all);
    let (files, archive) = Files::create();
    put_each(&archive, &mails[..10]);
    needles.look(&files);
    let options = ImportOptions { into: Some(folder("anna/zanzibar/Treasurer")), commit_each: true, ..ImportOptions::default() };
    let mut looking = Looking(&needles, &files, 0);
    let source = mbox(&mails);
    let report = archive.session(Actor::System).import(ImportSource::Stream(&mut &*source, "kilimanjaro.mbox"), &options, &mut looking);
    assert!(report.expect("imported").stored > 40);
    needles.look(&files);
    archive.close().expect("closed");
    needles.look(&files);
    let archive = files.open();
    ask(&archive).expect("answers");
    needles.look(&files);
    archive.close().expect("closed");
    needles.look(&files);
}
