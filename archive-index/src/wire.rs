//! Bounded reading and writing of the numbers inside pages.
//!
//! All bytes that are read here may be untrusted. A reader never runs past them, and no length that it returns exceeds
//! what is left of them.

/// What was being read when the bytes ended or made no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Appends `value` in groups of seven bits, lowest first; all bytes but the last have the high bit set.
#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Maps signed numbers so that small ones of either sign are short: 0, -1, 1, -2 become 0, 1, 2, 3.
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The reverse of [`zigzag`].
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Reads bytes from the front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        if let Some((&first, rest)) = self.bytes.split_first() {
            if first < 0x80 {
                self.bytes = rest;
                return Ok(u64::from(first));
            }
            if let Some((&second @ 0..0x80, rest)) = rest.split_first() {
                self.bytes = rest;
                return Ok(u64::from(first & 0x7f) | u64::from(second) << 7);
            }
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for (at, &byte) in self.bytes.iter().enumerate().take(10) {
            if at == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.bytes = self.bytes.get(at + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(Malformed("number"))
    }

    #[inline]
    pub(crate) fn varint_u32(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.varint()?).map_err(|_| Malformed("number above 32 bits"))
    }

    /// Skips `count` numbers without decoding them.
    #[inline]
    pub(crate) fn skip_varints(&mut self, count: u64) -> Result<(), Malformed> {
        const LAST_BYTES: u64 = 0x8080_8080_8080_8080;
        let mut left = count;
        let mut at = 0;
        // Eight bytes at a time, as long as more numbers are to be skipped than end in them.
        while let Some(eight) = self.bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let ends = u64::from((!u64::from_le_bytes(*eight) & LAST_BYTES).count_ones());
            if ends >= left {
                break;
            }
            left -= ends;
            at += eight.len();
        }
        while left > 0 {
            left -= u64::from(*self.bytes.get(at).ok_or(Malformed("end of bytes"))? < 0x80);
            at += 1;
        }
        self.bytes = self.bytes.get(at..).unwrap_or_default();
        Ok(())
    }

    /// A count of bytes, or of items of at least one byte each; so it must not exceed what is left.
    pub(crate) fn length(&mut self) -> Result<usize, Malformed> {
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.bytes.len() => Ok(length),
            _ => Err(Malformed("length past the end")),
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        let (&first, rest) = self.bytes.split_first().ok_or(Malformed("end of bytes"))?;
        self.bytes = rest;
        Ok(first)
    }

    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(Malformed("end of bytes"))?;
        self.bytes = rest;
        Ok(head)
    }

    /// Skips `length` bytes.
    pub(crate) fn skip(&mut self, length: u64) -> Result<(), Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed("end of bytes"))?;
        self.take(length).map(drop)
    }

    /// Bytes that are preceded by their length.
    pub(crate) fn block(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length()?;
        self.take(length)
    }

    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Malformed("bytes after the end")) }
    }
}

/// Appends the length of `bytes`, and then the bytes.
pub(crate) fn put_block(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(value: u64, signed: i64) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint(), Ok(value));
            prop_assert!(reader.is_empty());
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }

        #[test]
        fn numbers_are_passed_over_as_if_they_were_read(values: Vec<u32>, count in 0u64..40) {
            let mut bytes = Vec::new();
            values.iter().for_each(|value| put_varint(&mut bytes, u64::from(*value >> (value % 32))));
            let (mut read, mut passed) = (Reader::new(&bytes), Reader::new(&bytes));
            let result = (0..count).try_for_each(|_| read.varint().map(drop));
            prop_assert_eq!(passed.skip_varints(count).is_ok(), result.is_ok());
            prop_assert!(result.is_err() || passed.left() == read.left());
        }

        #[test]
        fn any_bytes_give_a_number_or_an_error(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.varint().is_ok() {}
            prop_assert!(reader.left() <= bytes.len());
        }
    }
}
