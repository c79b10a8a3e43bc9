//! Places stored bytes in blocks: consecutive ones together, and bytes that are already compressed separately, so that
//! they are not compressed again.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::prepared::Stretch;
use crate::container::{BLOCK_LEN, encode_block};
use crate::error::Error;
use crate::records::{Run, Runs};

/// A sample of this size decides whether bytes are worth compressing.
const SAMPLE: usize = 8 << 10;

/// Bytes being placed in blocks whose own places in a file are not known yet.
#[derive(Debug, Default)]
pub(super) struct Placer {
    blocks: Vec<Stretch>,
    /// Indices of the blocks being filled: for text, and for what is already compressed.
    open: [Option<usize>; 2],
    stored: usize,
}

/// Stretches of blocks by their index, or bytes that stay where they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Laid(Vec<Piece>);

#[derive(Debug, Clone, Copy)]
enum Piece {
    In { block: usize, start: u32, len: u32 },
    Stays(Run),
}

impl Placer {
    /// Places a stretch: in the block that was made of it, or with others.
    pub(super) fn lay_stretch(&mut self, stretch: Stretch) -> Laid {
        if stretch.block.is_none() {
            return self.lay(&stretch.bytes);
        }
        let laid = Laid(vec![Piece::In { block: self.blocks.len(), start: 0, len: stretch.bytes.len() as u32 }]);
        self.stored += stretch.bytes.len();
        self.blocks.push(stretch);
        laid
    }

    /// Places `bytes`: in one block if they fit, otherwise cut at its length.
    pub(super) fn lay(&mut self, bytes: &[u8]) -> Laid {
        let class = usize::from(bytes.len() >= SAMPLE && is_dense(bytes));
        let mut laid = Laid::default();
        self.stored += bytes.len();
        for piece in bytes.chunks(BLOCK_LEN) {
            let at = match self.open[class] {
                Some(at) if self.blocks[at].bytes.len() + piece.len() <= BLOCK_LEN => at,
                Some(_) => {
                    // If one block filled up, the next will too.
                    self.blocks.push(Vec::with_capacity(BLOCK_LEN).into());
                    self.blocks.len() - 1
                }
                None => {
                    self.blocks.push(Stretch::default());
                    self.blocks.len() - 1
                }
            };
            self.open[class] = Some(at);
            let block = &mut self.blocks[at].bytes;
            laid.0.push(Piece::In { block: at, start: block.len() as u32, len: piece.len() as u32 });
            block.extend_from_slice(piece);
        }
        laid
    }

    /// The bytes of each block.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &[u8]> {
        self.blocks.iter().map(|block| block.bytes.as_slice())
    }

    /// Bytes placed so far.
    pub(super) fn stored(&self) -> usize {
        self.stored
    }

    /// The blocks, encoded on as many threads as there are processors.
    pub(super) fn encode(&self) -> Result<Vec<Vec<u8>>, Error> {
        let threads = match self.blocks.iter().filter(|block| block.block.is_none()).count() {
            blocks @ 0..=1 => blocks,
            // Asking the system takes longer than compressing a single mail.
            blocks => std::thread::available_parallelism().map_or(1, usize::from).min(blocks),
        };
        if threads <= 1 {
            return Ok(self.blocks.iter().map(Stretch::encode).collect());
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(block) = self.blocks.get(at) else { return done };
                done.push((at, block.encode()));
            }
        };
        let mut encoded = vec![Vec::new(); self.blocks.len()];
        std::thread::scope(|scope| {
            // If the system provides fewer threads, the others do the work.
            let others: Vec<_> = (1..threads).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
            let mut done = vec![Ok(work())];
            done.extend(others.into_iter().map(std::thread::ScopedJoinHandle::join));
            for done in done {
                for (at, block) in done.map_err(|_| Error::Bug("compressing a block panicked"))? {
                    encoded[at] = block;
                }
            }
            Ok(encoded)
        })
    }
}

impl Laid {
    /// Runs, once container and frame of each block are known.
    pub(super) fn runs(&self, places: &[(u32, u64)]) -> Result<Runs, Error> {
        let run = |piece: &Piece| match *piece {
            Piece::In { block, start, len } => {
                let (container, frame) = places.get(block).copied().ok_or(Error::Bug("bytes lie in a block that has no place"))?;
                Ok(Run { container, frame, start, len })
            }
            Piece::Stays(run) => Ok(run),
        };
        self.0.iter().map(run).collect::<Result<_, _>>().map(Runs)
    }

    /// Adds what was laid elsewhere.
    pub(super) fn append(&mut self, laid: Self) {
        self.0.extend(laid.0);
    }

    /// Adds bytes that are alone in a block.
    pub(super) fn alone(&mut self, block: usize, len: u32) {
        self.0.push(Piece::In { block, start: 0, len });
    }

    /// Adds bytes that stay where they are.
    pub(super) fn stays(&mut self, run: Run) {
        self.0.push(Piece::Stays(run));
    }

    /// Index of the block with the last byte; the first block if there are no bytes.
    pub(super) fn last_block(&self) -> usize {
        let block = |piece: &Piece| match piece {
            Piece::In { block, .. } => Some(*block),
            Piece::Stays(_) => None,
        };
        self.0.iter().rev().find_map(block).unwrap_or(0)
    }
}

/// Whether compression would gain less than a thirtieth, judged by a sample from the middle.
fn is_dense(bytes: &[u8]) -> bool {
    let middle = bytes.len() / 2;
    let sample = &bytes[middle.saturating_sub(SAMPLE / 2)..(middle + SAMPLE / 2).min(bytes.len())];
    uses_most_bytes(sample) && encode_block(sample).len() > sample.len() - sample.len() / 30
}

/// Whether more than half of all byte values occur in `sample`. Text never has that many, and so needs no trial.
fn uses_most_bytes(sample: &[u8]) -> bool {
    let mut seen = [false; 256];
    sample.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count() > 128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_whose_block_has_no_place_are_an_error_and_lie_nowhere() {
        let mut placer = Placer::default();
        let laid = placer.lay(&vec![b'x'; BLOCK_LEN + 1]);
        assert_eq!(laid.last_block(), 1);
        let run = |frame, len| Run { container: 3, frame, start: 0, len };
        assert_eq!(laid.runs(&[(3, 500), (3, 900)]).unwrap().0, [run(500, BLOCK_LEN as u32), run(900, 1)]);
        assert!(matches!(laid.runs(&[(3, 500)]), Err(Error::Bug(_))));
    }
}
