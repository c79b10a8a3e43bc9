//! The manifest: which segments the index has, up to which document, and the basis that the caller gave at that point;
//! docs/FORMAT-INDEX.md, "Manifest".

use crate::error::{DocNo, DocRange, IndexError};
use crate::pages::FileId;
use roaring::RoaringBitmap;

/// The format of manifests that this code writes and reads.
const FORMAT: u64 = 2;
/// File numbers are below it.
pub(crate) const FILES_END: u64 = 1 << 53;

/// Map keys of the manifest.
mod key {
    pub(super) const FORMAT: u64 = 1;
    pub(super) const WATERMARK: u64 = 2;
    pub(super) const BASIS: u64 = 3;
    pub(super) const SEGMENTS: u64 = 4;
    pub(super) const DEAD: u64 = 5;
    pub(super) const NEXT_FILE: u64 = 6;
}

/// A segment as the manifest lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) file: FileId,
    pub(crate) docs: DocRange,
    pub(crate) level: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Documents below it are in the segments.
    pub(crate) watermark: u32,
    /// What the caller gave at that point.
    pub(crate) basis: Vec<u8>,
    /// In the order of their documents.
    pub(crate) segments: Vec<Listed>,
    /// Documents that were marked dead, whether their postings are still in segments or not.
    pub(crate) dead: RoaringBitmap,
    /// Above the number of every file that was ever created.
    pub(crate) next_file: u64,
}

impl Manifest {
    pub(crate) fn encode(&self) -> Result<Vec<u8>, IndexError> {
        self.put().map_err(|_| IndexError::Bug("manifest not encoded"))
    }

    fn put(&self) -> Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>> {
        let mut out = minicbor::Encoder::new(Vec::new());
        let mut dead = Vec::new();
        // Writing into memory does not fail.
        let _ = self.dead.serialize_into(&mut dead);
        out.map(6)?;
        out.u64(key::FORMAT)?.u64(FORMAT)?;
        out.u64(key::WATERMARK)?.u32(self.watermark)?;
        out.u64(key::BASIS)?.bytes(&self.basis)?;
        out.u64(key::SEGMENTS)?.array(self.segments.len() as u64)?;
        for segment in &self.segments {
            out.array(4)?.u64(segment.file.0)?.u32(segment.docs.start.0)?.u32(segment.docs.end.0)?.u8(segment.level)?;
        }
        out.u64(key::DEAD)?.bytes(&dead)?;
        out.u64(key::NEXT_FILE)?.u64(self.next_file)?;
        Ok(out.into_writer())
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, IndexError> {
        let broken = |what| IndexError::Manifest { what };
        let (format, manifest) = Self::read(bytes).map_err(|_| broken("encoding"))?;
        match format {
            Some(FORMAT) => {}
            Some(found) if found < FORMAT => return Err(IndexError::FormatTooOld { found, known: FORMAT }),
            Some(found) => return Err(IndexError::FormatTooNew { found, known: FORMAT }),
            None => return Err(broken("format")),
        }
        if manifest.next_file > FILES_END || manifest.segments.iter().any(|listed| listed.file.0 >= manifest.next_file) {
            return Err(broken("numbers of files"));
        }
        let mut end = 0;
        for Listed { docs, .. } in &manifest.segments {
            if docs.start.0 < end || docs.end <= docs.start {
                return Err(broken("order of segments"));
            }
            end = docs.end.0;
        }
        if end > manifest.watermark {
            return Err(broken("watermark"));
        }
        Ok(manifest)
    }

    fn read(bytes: &[u8]) -> Result<(Option<u64>, Self), minicbor::decode::Error> {
        let missing = || minicbor::decode::Error::message("length missing");
        let mut decoder = minicbor::Decoder::new(bytes);
        let mut manifest = Manifest::default();
        let mut format = None;
        for _ in 0..decoder.map()?.ok_or_else(missing)? {
            match decoder.u64()? {
                key::FORMAT => format = Some(decoder.u64()?),
                key::WATERMARK => manifest.watermark = decoder.u32()?,
                key::BASIS => manifest.basis = decoder.bytes()?.to_vec(),
                key::SEGMENTS => {
                    for _ in 0..decoder.array()?.ok_or_else(missing)? {
                        if decoder.array()? != Some(4) {
                            return Err(missing());
                        }
                        let file = FileId(decoder.u64()?);
                        let docs = DocRange { start: DocNo(decoder.u32()?), end: DocNo(decoder.u32()?) };
                        manifest.segments.push(Listed { file, docs, level: decoder.u8()? });
                    }
                }
                key::DEAD => {
                    let dead = RoaringBitmap::deserialize_from(decoder.bytes()?);
                    manifest.dead = dead.map_err(|_| minicbor::decode::Error::message("dead documents"))?;
                }
                key::NEXT_FILE => manifest.next_file = decoder.u64()?,
                _ => decoder.skip()?,
            }
        }
        if decoder.position() != bytes.len() {
            return Err(minicbor::decode::Error::message("bytes after the end"));
        }
        Ok((format, manifest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_manifest_comes_back() {
        let docs = DocRange { start: DocNo(3), end: DocNo(70_000) };
        let segments = vec![Listed { file: FileId(1 << 40), docs, level: 2 }];
        let dead = [1, 2, 70_000].into_iter().collect();
        let manifest = Manifest { watermark: 70_001, basis: vec![1, 2, 3], segments, dead, next_file: (1 << 40) + 1 };
        assert_eq!(Manifest::decode(&manifest.encode().unwrap()).unwrap(), manifest);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_manifest_or_an_error(bytes: Vec<u8>) {
            let _ = Manifest::decode(&bytes);
        }
    }
}
