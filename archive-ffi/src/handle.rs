//! Handles: numbers that C holds as pointers, looked up in a table and never dereferenced.
//!
//! A handle has the number of a slot, the generation of that slot, and the kind of what is in it. When a slot is freed,
//! its generation grows, so that a handle that was freed, twice or too early, is an error and nothing else.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Fault;
use crate::status::MK_BAD_HANDLE;

/// Something that a handle may stand for.
pub(crate) trait Object: Any + Send + Sync {
    /// What C sees.
    type Handle;
    /// Its number in handles.
    const KIND: Kind;
}

/// The kinds of handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Error = 1,
    Cancel,
    Buffer,
    NewArchive,
    Archive,
    Session,
    Page,
    Search,
    Stream,
    Frozen,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "an mk_error",
            Self::Cancel => "an mk_cancel",
            Self::Buffer => "an mk_buffer",
            Self::NewArchive => "an mk_new_archive",
            Self::Archive => "an mk_archive",
            Self::Session => "an mk_session",
            Self::Page => "an mk_page",
            Self::Search => "an mk_search",
            Self::Stream => "an mk_stream",
            Self::Frozen => "an mk_frozen",
        }
    }
}

struct Slot {
    generation: u32,
    filled: Option<Filled>,
}

struct Filled {
    kind: Kind,
    object: Arc<dyn Any + Send + Sync>,
    /// The archive that it belongs to, and is closed with.
    parent: Option<u64>,
}

struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

static TABLE: Mutex<Table> = Mutex::new(Table { slots: Vec::new(), free: Vec::new() });

/// Bits of a handle: generation, slot, kind, and a lowest bit that no pointer to an object has.
const KIND_SHIFT: u32 = 1;
const SLOT_SHIFT: u32 = 8;
const GENERATION_SHIFT: u32 = 32;
const MOST_SLOTS: usize = 1 << (GENERATION_SHIFT - SLOT_SHIFT);

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn slot_of(handle: u64) -> usize {
    ((handle >> SLOT_SHIFT) as usize) & (MOST_SLOTS - 1)
}

/// The number in a handle of C.
pub(crate) fn number<H>(handle: *const H) -> u64 {
    handle.addr() as u64
}

impl Table {
    fn filled(&self, handle: u64) -> Option<&Filled> {
        let slot = self.slots.get(slot_of(handle))?;
        let filled = slot.filled.as_ref()?;
        (encoded(slot.generation, slot_of(handle), filled.kind) == handle).then_some(filled)
    }

    fn empty(&mut self, handle: u64) -> Option<Filled> {
        self.filled(handle)?;
        let slot = self.slots.get_mut(slot_of(handle))?;
        let filled = slot.filled.take();
        slot.generation = slot.generation.wrapping_add(1).max(1);
        self.free.push(slot_of(handle) as u32);
        filled
    }
}

fn encoded(generation: u32, slot: usize, kind: Kind) -> u64 {
    u64::from(generation) << GENERATION_SHIFT | (slot as u64) << SLOT_SHIFT | u64::from(kind as u8) << KIND_SHIFT | 1
}

/// Makes a handle for an object. One that belongs to an archive is closed with it.
pub(crate) fn put<T: Object>(object: Arc<T>, parent: Option<u64>) -> Result<*mut T::Handle, Fault> {
    let mut table = table();
    if parent.is_some_and(|parent| table.filled(parent).is_none()) {
        // It was closed by another thread during the call.
        return Err(archive_core::Error::Closed.into());
    }
    let slot = match table.free.pop() {
        Some(slot) => slot as usize,
        None if table.slots.len() < MOST_SLOTS => {
            table.slots.push(Slot { generation: 1, filled: None });
            table.slots.len() - 1
        }
        None => return Err(Fault::new(MK_BAD_HANDLE, "16,777,216 handles are in use; free some")),
    };
    let Some(at) = table.slots.get_mut(slot) else { return Err(Fault::bug("a slot is not in the table")) };
    at.filled = Some(Filled { kind: T::KIND, object, parent });
    Ok(std::ptr::without_provenance_mut(encoded(at.generation, slot, T::KIND) as usize))
}

/// What a handle stands for.
pub(crate) fn get<T: Object>(handle: *const T::Handle) -> Result<Arc<T>, Fault> {
    Ok(get_with_parent::<T>(handle)?.0)
}

/// What a handle stands for, and the archive that it belongs to.
pub(crate) fn get_with_parent<T: Object>(handle: *const T::Handle) -> Result<(Arc<T>, Option<u64>), Fault> {
    let table = table();
    let filled = table.filled(number(handle)).ok_or_else(|| missing::<T>(number(handle)))?;
    let object = Arc::clone(&filled.object).downcast::<T>().map_err(|_| wrong::<T>(filled.kind))?;
    Ok((object, filled.parent))
}

/// Frees a handle, and returns what it stood for. NULL is `None`.
pub(crate) fn take<T: Object>(handle: *const T::Handle) -> Result<Option<Arc<T>>, Fault> {
    if handle.is_null() {
        return Ok(None);
    }
    let mut table = table();
    let filled = table.filled(number(handle)).ok_or_else(|| missing::<T>(number(handle)))?;
    if filled.kind != T::KIND {
        return Err(wrong::<T>(filled.kind));
    }
    let object = table.empty(number(handle)).and_then(|filled| filled.object.downcast::<T>().ok());
    object.map(Some).ok_or_else(|| Fault::bug("a slot has something of another kind"))
}

/// Frees all handles that belong to an archive. They are dropped by the caller, without the table.
pub(crate) fn take_children(parent: u64) -> Vec<Arc<dyn Any + Send + Sync>> {
    let mut table = table();
    let of_parent = |(at, slot): (usize, &Slot)| {
        let filled = slot.filled.as_ref().filter(|filled| filled.parent == Some(parent))?;
        Some(encoded(slot.generation, at, filled.kind))
    };
    let children: Vec<u64> = table.slots.iter().enumerate().filter_map(of_parent).collect();
    children.into_iter().filter_map(|child| table.empty(child)).map(|filled| filled.object).collect()
}

/// How many handles are in use.
pub(crate) fn count() -> usize {
    table().slots.iter().filter(|slot| slot.filled.is_some()).count()
}

fn missing<T: Object>(handle: u64) -> Fault {
    let what = if handle == 0 { "is NULL" } else { "was freed, closed with its archive, or never given out" };
    Fault::new(MK_BAD_HANDLE, format!("the handle of {} {what}", T::KIND.name()))
}

fn wrong<T: Object>(found: Kind) -> Fault {
    Fault::new(MK_BAD_HANDLE, format!("the handle is {}, where {} is needed", found.name(), T::KIND.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Buffer;
    use crate::error::{ErrorObject, mk_error};

    #[test]
    fn a_handle_is_good_once_and_for_its_kind_alone() {
        let one = put(Arc::new(Buffer::new(vec![1])), None).expect("put");
        assert_eq!(get::<Buffer>(one).expect("there").bytes(), [1]);
        let as_error = one.cast::<mk_error>();
        assert!(get::<ErrorObject>(as_error).is_err() && take::<ErrorObject>(as_error).is_err());
        assert!(take::<Buffer>(one).expect("freed").is_some());
        let other = put(Arc::new(Buffer::new(vec![2])), None).expect("put");
        assert_ne!(one.addr(), other.addr());
        assert!(get::<Buffer>(one).is_err() && take::<Buffer>(one).is_err());
        assert!(take::<Buffer>(std::ptr::null()).expect("nothing").is_none());
        for odd in [1usize, 2, 0x1234, usize::MAX, other.addr() ^ 1, other.addr() ^ (1 << 40)] {
            assert!(get::<Buffer>(std::ptr::without_provenance(odd)).is_err(), "{odd:x}");
        }
        assert!(take::<Buffer>(other).expect("freed").is_some());
    }
}
