//! zstd (RFC 8878), with contexts that each thread keeps: creating one takes longer than compressing a small input.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, DCtx, InBuffer, OutBuffer, ResetDirective, Strategy};

/// What is compressed, which decides the effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Stored bytes of mails. Level 3 with smaller tables, which stay in the processor's cache: about a fifth less time
    /// for 1.2 % more bytes (list mail, blocks of 1 MiB).
    Block,
    /// Facts, tables, pages of the catalog, and short blocks: level 4, which takes as long for them as level 3 and
    /// makes facts 1.5 % and pages 3.5 % smaller (a million short mails). Level 6 makes facts 4 % smaller and takes
    /// three times as long.
    Facts,
}

impl Effort {
    fn compressor(self) -> std::io::Result<Compressor<'static>> {
        match self {
            Self::Block => {
                let mut compressor = Compressor::new(3)?;
                let small = [
                    CParameter::WindowLog(20),
                    CParameter::HashLog(16),
                    CParameter::ChainLog(14),
                    CParameter::MinMatch(5),
                    CParameter::Strategy(Strategy::ZSTD_dfast),
                ];
                small.into_iter().try_for_each(|parameter| compressor.set_parameter(parameter))?;
                Ok(compressor)
            }
            Self::Facts => Compressor::new(4),
        }
    }
}

thread_local! {
    static COMPRESSORS: RefCell<[Option<Compressor<'static>>; 2]> = const { RefCell::new([const { None }; 2]) };
    /// For beginnings of frames; it has a separate window.
    static PARTIAL: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Shorter inputs do not use the fixed tables of blocks, which would have to be cleared for each of them.
const SHORT: usize = 128 << 10;

/// `bytes` as one frame that states their length; `None` if zstd refuses, which happens only without memory.
pub(crate) fn compress(effort: Effort, bytes: &[u8]) -> Option<Vec<u8>> {
    let effort = if bytes.len() < SHORT { Effort::Facts } else { effort };
    COMPRESSORS.with_borrow_mut(|kept| {
        let slot = kept.get_mut(effort as usize)?;
        if slot.is_none() {
            *slot = effort.compressor().ok();
        }
        slot.as_mut()?.compress(bytes).ok()
    })
}

/// The bytes of one frame that states a length of at most `most`.
pub(crate) fn decompress(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let len = Decompressor::upper_bound(bytes).filter(|len| *len <= most)?;
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Decompressor::new().ok();
        }
        slot.as_mut()?.decompress(bytes, len).ok()
    })
}

/// The first `len` bytes of one frame, without decompressing much beyond them.
pub(crate) fn decompress_first(bytes: &[u8], len: usize) -> Option<Vec<u8>> {
    PARTIAL.with_borrow_mut(|context| {
        context.reset(ResetDirective::SessionOnly).ok()?;
        let mut ready = Vec::with_capacity(len);
        let mut input = InBuffer::around(bytes);
        while ready.len() < len {
            let (had, used) = (ready.len(), input.pos());
            context.decompress_stream(&mut OutBuffer::around_pos(&mut ready, had), &mut input).ok()?;
            if ready.len() == had && input.pos() == used {
                return None;
            }
        }
        Some(ready)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back_and_no_more_than_was_allowed() {
        let bytes = b"again and again and again".repeat(1000);
        for effort in [Effort::Block, Effort::Facts] {
            for bytes in [&bytes[..], b""] {
                let packed = compress(effort, bytes).unwrap();
                assert_eq!(decompress(&packed, bytes.len()).as_deref(), Some(bytes));
            }
            assert_eq!(decompress(&compress(effort, &bytes).unwrap(), bytes.len() - 1), None);
        }
        assert_eq!(decompress(b"no frame", 100), None);
        let packed = compress(Effort::Block, &bytes).unwrap();
        for len in [0, 1, 1000, bytes.len()] {
            assert_eq!(decompress_first(&packed, len).as_deref(), bytes.get(..len));
        }
        assert_eq!(decompress_first(&packed, bytes.len() + 1), None);
        assert_eq!(decompress_first(packed.get(..20).unwrap(), bytes.len()), None);
    }
}
