//! A page: sorted entries, written with shared prefixes and read into a form for binary search.
//!
//! An entry is a key and a value, or a tombstone that hides the same key in older files.

/// Appends `number` in base 128, least significant group first.
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a varint from the start of `bytes`.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes `len` bytes from the start of `bytes`.
pub(super) fn take_slice<'a>(bytes: &mut &'a [u8], len: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
    *bytes = rest;
    Some(taken)
}

/// Keys share prefixes, so that a few bytes could claim much memory; a page that was written has about 32 KiB.
const MAX_DECODED: usize = 64 << 20;

/// Entries being gathered into a page.
#[derive(Debug, Default)]
pub(super) struct PageBuilder {
    bytes: Vec<u8>,
    first: Vec<u8>,
    last: Vec<u8>,
    count: usize,
}

impl PageBuilder {
    /// Appends an entry whose key is above all before it.
    pub(super) fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        if self.count == 0 {
            self.first = key.to_vec();
        }
        let shared = self.last.iter().zip(key).take_while(|(a, b)| a == b).count();
        put_varint(&mut self.bytes, shared as u64);
        put_varint(&mut self.bytes, (key.len() - shared) as u64);
        put_varint(&mut self.bytes, value.map_or(0, |value| value.len() as u64 + 1));
        self.bytes.extend_from_slice(&key[shared..]);
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.last.truncate(shared);
        self.last.extend_from_slice(&key[shared..]);
        self.count += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// First key and packed bytes; `None` if nothing was pushed.
    pub(super) fn finish(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let page = std::mem::take(self);
        (page.count > 0).then_some((page.first, page.bytes))
    }
}

/// A key, and its value unless it is a tombstone.
pub(super) type EntryRef<'p> = (&'p [u8], Option<&'p [u8]>);

/// A page for reading.
#[derive(Debug)]
pub(super) struct Page {
    data: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u32,
    key_len: u32,
    /// `u32::MAX` for a tombstone.
    value_len: u32,
}

impl Page {
    /// Decodes a page; `None` if the bytes are not one.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let (mut data, mut entries) = (Vec::with_capacity(bytes.len() * 2), Vec::new());
        let mut last = 0..0;
        while !bytes.is_empty() {
            let (shared, rest, value) = (take_varint(&mut bytes)?, take_varint(&mut bytes)?, take_varint(&mut bytes)?);
            let shared = usize::try_from(shared).ok().filter(|shared| *shared <= last.len())?;
            let start = data.len();
            if start > MAX_DECODED {
                return None;
            }
            data.extend_from_within(last.start..last.start + shared);
            data.extend_from_slice(take_slice(&mut bytes, rest)?);
            last = start..data.len();
            let value_len = match value.checked_sub(1) {
                Some(len) => {
                    data.extend_from_slice(take_slice(&mut bytes, len)?);
                    u32::try_from(len).ok()?
                }
                None => u32::MAX,
            };
            entries.push(Entry { key: u32::try_from(start).ok()?, key_len: u32::try_from(last.len()).ok()?, value_len });
        }
        Some(Self { data, entries })
    }

    pub(super) fn memory(&self) -> usize {
        self.data.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn key(&self, entry: &Entry) -> &[u8] {
        &self.data[entry.key as usize..(entry.key + entry.key_len) as usize]
    }

    /// Key and value (or tombstone) of entry `at`.
    pub(super) fn entry(&self, at: usize) -> Option<EntryRef<'_>> {
        let entry = self.entries.get(at)?;
        let value = (entry.key + entry.key_len) as usize;
        let value = (entry.value_len != u32::MAX).then(|| &self.data[value..value + entry.value_len as usize]);
        Some((self.key(entry), value))
    }

    /// Index of the first entry whose key is `key` or above.
    pub(super) fn lower_bound(&self, key: &[u8]) -> usize {
        self.entries.partition_point(|entry| self.key(entry) < key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_page_answers_like_a_sorted_map(entries in proptest::collection::btree_map(
            proptest::collection::vec(0u8..4, 0..6), proptest::option::of(proptest::collection::vec(any::<u8>(), 0..9)), 1..60)) {
            let mut builder = PageBuilder::default();
            entries.iter().for_each(|(key, value)| builder.push(key, value.as_deref()));
            let page = Page::decode(&builder.finish().unwrap().1).unwrap();
            let read: Vec<_> = (0..page.len()).map(|at| page.entry(at).unwrap()).map(|(k, v)| (k.to_vec(), v.map(<[u8]>::to_vec))).collect();
            prop_assert_eq!(&read, &entries.clone().into_iter().collect::<Vec<_>>());
            for key in entries.keys() {
                prop_assert_eq!(page.lower_bound(key), entries.range::<Vec<u8>, _>(..key).count());
            }
        }

        #[test]
        fn any_bytes_are_a_page_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(page) = Page::decode(&bytes) {
                prop_assert!((0..page.len()).all(|at| page.entry(at).is_some()));
            }
        }
    }

    #[test]
    fn prefixes_shared_by_many_entries_cannot_ask_for_all_memory() {
        let mut bytes = vec![0];
        put_varint(&mut bytes, 1 << 20);
        bytes.push(0);
        bytes.resize(bytes.len() + (1 << 20), b'k');
        for _ in 0..1000 {
            put_varint(&mut bytes, 1 << 20);
            bytes.extend_from_slice(&[0, 0]);
        }
        assert!(Page::decode(&bytes).is_none());
    }
}
