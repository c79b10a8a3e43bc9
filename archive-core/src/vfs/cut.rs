//! Cuts a file so that nothing changes under its other names.

use std::path::Path;

use super::{Vfs, VfsError, VfsFile};

/// Bytes that are copied at a time.
const STEP: u64 = 1 << 20;

/// Cuts the file at `path` to `len` bytes, and syncs that. A file that has other names (as in a snapshot of hard links)
/// is not touched: a copy of the bytes that stay replaces it, written as `PATH.tmp`, synced and renamed. Handles opened
/// before still read the old file.
pub(crate) fn cut_file(vfs: &dyn Vfs, path: &Path, len: u64) -> Result<(), VfsError> {
    let file = vfs.open(path)?;
    if file.links()? <= 1 {
        file.truncate(len)?;
        return file.sync();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let new = Path::new(&name);
    if vfs.kind(new)?.is_some() {
        vfs.remove(new)?;
    }
    let copy = vfs.create(new)?;
    copy_bytes(&*file, &*copy, len)?;
    copy.sync()?;
    vfs.rename(new, path)?;
    path.parent().map_or(Ok(()), |dir| vfs.sync_dir(dir))
}

fn copy_bytes(from: &dyn VfsFile, to: &dyn VfsFile, len: u64) -> Result<(), VfsError> {
    let mut at = 0;
    while at < len {
        let step = STEP.min(len - at);
        let mut bytes = vec![0; step as usize];
        from.read_exact_at(at, &mut bytes)?;
        to.append(&bytes)?;
        at += step;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::vfs::DiskVfs;

    #[test]
    fn a_cut_file_keeps_its_bytes_under_its_other_names() {
        let kept = tempfile::tempdir().unwrap();
        let (path, snapshot) = (kept.path().join("000001.mkr"), kept.path().join("snapshot"));
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        std::fs::hard_link(&path, &snapshot).unwrap();
        // A copy that a crash cut short.
        std::fs::write(kept.path().join("000001.mkr.tmp"), b"half").unwrap();
        let vfs = DiskVfs::new();
        cut_file(&vfs, &path, 2_500_000).unwrap();
        assert_eq!(std::fs::read(&snapshot).unwrap(), bytes, "the snapshot is untouched");
        assert_eq!(std::fs::read(&path).unwrap(), bytes[..2_500_000]);
        // The copy is the archive's own, and is cut in place.
        let file = vfs.open(&path).unwrap();
        assert_eq!(file.links().unwrap(), 1);
        cut_file(&vfs, &path, 7).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes[..7]);
        assert_eq!(vfs.list(kept.path()).unwrap().len(), 2, "no copy is left");
        assert!(cut_file(&vfs, &path, 8).is_err(), "nothing is lengthened");
    }
}
