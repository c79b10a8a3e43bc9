//! Memory while a large mail is looked through and its parts are handed on: bounded, whatever the mail is. Linux only, as it asks the system for
//! the peak.

#[cfg(target_os = "linux")]
#[test]
fn a_mail_of_any_size_or_depth_is_looked_through_in_bounded_memory() {
    use archive_core::mail::{MOST_SHOWN, PartReader, Viewer};

    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line of it");
        line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number")
    };
    let words = b"words of a text, and more of them\n".repeat(2048);
    let encoded = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\n".repeat(1024);
    let nested = "Content-Type: message/rfc822; name=inner.eml\n\n".repeat(60);
    let part = |head: &str| format!("--b\n{head}\n\n").into_bytes();
    // Each piece so many times.
    let pieces: Vec<(Vec<u8>, usize)> = vec![
        (b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec(), 1),
        (part("Content-Type: text/plain"), 1),
        (words.clone(), 1500),
        (part("Content-Type: text/html"), 1),
        (words.clone(), 500),
        (part("Content-Type: a/b; name=a.bin\nContent-Transfer-Encoding: base64"), 1),
        (encoded, 1000),
        (part(nested.trim_end()), 1),
        (words.clone(), 500),
        (b"\n--b--\n".to_vec(), 1),
    ];
    let before = peak();
    let mut viewer = Viewer::new(&[]);
    let each = || pieces.iter().flat_map(|(piece, times)| std::iter::repeat_n(piece, *times));
    each().for_each(|piece| viewer.push(piece));
    let view = viewer.finish();
    let leaves: Vec<u64> = [1, 2, 3].iter().map(|number| view.part(*number).expect("a part").size).collect();
    assert_eq!(leaves, [(words.len() * 1500 - 1) as u64, (words.len() * 500 - 1) as u64, 51 * 1024 * 1000]);
    let text = view.part(1).and_then(|part| part.text.as_ref()).expect("text");
    assert!(text.text.len() <= MOST_SHOWN && text.left_out + text.text.len() as u64 == leaves[0]);
    let all: Vec<u32> = view.parts.iter().map(|part| part.number).filter(|number| *number > 0).collect();
    let mut taken = vec![0; view.parts.len()];
    let mut reader = PartReader::new(&all, |number, bytes: &[u8]| {
        taken[number as usize] += bytes.len() as u64;
        Ok::<(), ()>(())
    });
    each().for_each(|piece| reader.push(piece).expect("a sink without errors"));
    reader.finish().expect("a sink without errors");
    assert_eq!(taken, view.parts.iter().map(|part| part.size).collect::<Vec<_>>());
    let more = peak() - before;
    assert!(more < 48 << 10, "{more} KiB");
}
