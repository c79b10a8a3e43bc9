//! Tar archives of all origins: what is stored in a form that is not supported is reported, and its raw bytes are never
//! returned.

use super::*;

const BLOCK: usize = 512;

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.resize(bytes.len().div_ceil(BLOCK) * BLOCK, 0);
    out
}

/// A header of this kind, changed before it is summed.
fn header(name: &str, kind: u8, size: u64, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(size);
    change(header.as_mut_bytes());
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn member(name: &str, kind: u8, bytes: &[u8]) -> Vec<u8> {
    [header(name, kind, bytes.len() as u64, |_| {}), padded(bytes)].concat()
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let rest = format!(" {key}={value}\n");
        let mut len = rest.len();
        while len != format!("{len}{rest}").len() {
            len = format!("{len}{rest}").len();
        }
        format!("{len}{rest}")
    };
    member("PaxHeaders/x", b'x', records.iter().map(record).collect::<String>().as_bytes())
}

fn between(members: &[Vec<u8>]) -> Vec<u8> {
    let (before, after) = (member("1.eml", b'0', MAIL.as_bytes()), member("9.eml", b'0', MAIL.as_bytes()));
    [&before, &members.concat()[..], &after, &[0; 2 * BLOCK]].concat()
}

#[test]
fn files_with_holes_in_a_tar_are_named_and_not_mangled() {
    let data = padded(b"Subject: sparse\n\nbody\n");
    let old_sparse = |extended: u8| header("s.eml", b'S', data.len() as u64, |bytes| bytes[482] = extended);
    let map = |goes_on: u8| {
        let mut block = vec![b'1'; BLOCK];
        block[504] = goes_on;
        block
    };
    let file = |name: &str| member(name, b'0', &data);
    let sizes = [("GNU.sparse.size", "9000"), ("GNU.sparse.numblocks", "1")];
    let cases = [
        vec![old_sparse(0), data.clone()],
        vec![old_sparse(1), map(1), map(0), data.clone()],
        vec![pax(&[sizes[0], sizes[1], ("GNU.sparse.offset", "0"), ("GNU.sparse.numbytes", "512")]), file("s.eml")],
        vec![pax(&[sizes[0], sizes[1], ("GNU.sparse.map", "0,512"), ("GNU.sparse.name", "s.eml")]), file("GNUSparseFile.7/s.eml")],
        vec![
            pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s.eml"), ("GNU.sparse.realsize", "9000")]),
            file("GNUSparseFile.7/s.eml"),
        ],
    ];
    for members in cases {
        let got = stream(&between(&members), "x.tar");
        assert_eq!(got.texts(), [MAIL, MAIL]);
        assert!(matches!(got.kinds()[..], [TroubleKind::Unsupported(_)]), "{:?}", got.troubles);
        assert_eq!(got.troubles[0].source, "s.eml");
    }
}

#[test]
fn other_members_of_a_tar_are_read_or_named() {
    let long = "d".repeat(3000) + "/x.eml";
    let mail = |name: &str| member(name, b'0', MAIL.as_bytes());
    let sized = |size: u64| [header("x.eml", b'0', size, |_| {}), padded(MAIL.as_bytes())].concat();
    for members in [
        vec![pax(&[("path", "x.eml")]), mail("short")],
        vec![pax(&[("path", &long)]), mail("short")],
        vec![member("././@LongLink", b'L', &[long.as_bytes(), b"\0"].concat()), mail("short")],
        vec![member("././@LongLink", b'K', b"elsewhere\0"), mail("x.eml")],
        vec![member("pax_global_header", b'g', b"19 comment=abcdefg\n"), mail("x.eml")],
        // The size of a file that is too long for its header, as pax has it.
        vec![pax(&[("size", &MAIL.len().to_string())]), sized(0)],
        vec![[header("x.eml", 0, MAIL.len() as u64, |bytes| bytes[257..265].fill(0)), padded(MAIL.as_bytes())].concat()],
        vec![header("folder/", b'0', 0, |_| {}), mail("folder/x.eml")],
        vec![header("folder", b'5', 0, |_| {}), mail("x.eml")],
        // One archive after another.
        vec![vec![0; 2 * BLOCK], mail("x.eml")],
    ] {
        let got = stream(&between(&members), "x.tar");
        assert_eq!((got.texts(), got.kinds()), (vec![MAIL; 3], vec![]));
        assert!(got.mails[1].source.ends_with("x.eml"));
    }
    let named = [
        (vec![member("x.eml", b'M', MAIL.as_bytes())], "several volumes"),
        (vec![[header("hard.eml", b'1', 99, |bytes| bytes[157..162].copy_from_slice(b"1.eml"))].concat()], "link to 1.eml"),
        (vec![vec![b'x'; 3 * BLOCK]], "no header"),
        (vec![member("././@LongLink", b'x', b"5 a\n99 path=x\n"), mail("x.eml")], "cannot be read"),
    ];
    for (members, what) in named {
        let got = stream(&between(&members), "x.tar");
        assert_eq!(got.texts(), [MAIL, MAIL], "{what}");
        assert!(got.kinds().len() == 1 && got.troubles[0].kind.to_string().contains(what), "{:?}", got.troubles);
        assert!(got.troubles[0].kind.is_loss());
    }
    // Older than POSIX, without any mark.
    let mut old = tar::Header::new_old();
    old.set_path("x.eml").unwrap();
    old.set_size(MAIL.len() as u64);
    old.set_cksum();
    let bytes = [old.as_bytes().to_vec(), padded(MAIL.as_bytes()), vec![0; 2 * BLOCK]].concat();
    assert_eq!((stream(&bytes, "x.tar").texts(), stream(&bytes, "x.tar").kinds()), (vec![MAIL], vec![]));
}

#[test]
fn a_tar_without_the_mark_of_its_end_is_told() {
    let whole = between(&[]);
    let data_end = whole.len() - 2 * BLOCK;
    for end in [data_end, data_end + 100] {
        let got = stream(&whole[..end], "x.tar");
        assert_eq!(got.texts(), [MAIL, MAIL]);
        assert!(matches!(got.kinds()[..], [TroubleKind::Cut(_)]), "{end}: {:?}", got.troubles);
        let packed = stream(&gzipped(&whole[..end]), "x.tgz");
        assert!(matches!(packed.kinds()[..], [TroubleKind::Cut(_)]), "{end}: {:?}", packed.troubles);
    }
    for whole in [whole.clone(), whole[..data_end + BLOCK].to_vec(), [whole, vec![0; 8192]].concat()] {
        assert_eq!((stream(&whole, "x.tar").mails.len(), stream(&whole, "x.tar").kinds()), (2, vec![]));
    }
    assert_eq!(stream(&[0; 10_240], "none.tar").kinds(), []);
}

#[test]
fn an_empty_packed_file_is_told_and_a_loss() {
    for name in ["x.tar", "x.zip", "x.gz", "x.mbox.gz", "x.tgz", "x.tar.zst", "X.ZIP"] {
        let got = stream(b"", name);
        assert!(matches!(got.kinds()[..], [TroubleKind::Cut(_)]), "{name}: {:?}", got.troubles);
        let got = stream(b"no such thing", name);
        assert!(matches!(got.kinds()[..], [TroubleKind::Cut(_)]), "{name}: {:?}", got.troubles);
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), name, "");
        put(folder.path(), "in.mbox", mbox(&[MAIL]));
        let (summary, _) = tree(folder.path());
        assert_eq!((summary.mails, summary.losses), (1, 1), "{name}");
    }
    // What a browser unpacked while downloading is read.
    assert_eq!(stream(mbox(&[MAIL]).as_bytes(), "x.mbox.gz").texts(), [MAIL]);
}
