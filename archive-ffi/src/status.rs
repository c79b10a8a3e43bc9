//! The numbers that calls return. A number is never given another meaning.

/// What a call returns: `MK_OK`, `MK_END`, or a negative number of an error. Programs must expect numbers that they do not
/// know: later versions add some.
pub type mk_status = i32;

/// It is done.
pub const MK_OK: mk_status = 0;
/// There is no more. Nothing was written.
pub const MK_END: mk_status = 1;

/// A bug of the library, such as a panic, which was caught. Please report it.
pub const MK_BUG: mk_status = -1;
/// A handle is NULL, was freed, or is of another kind.
pub const MK_BAD_HANDLE: mk_status = -2;
/// An argument cannot be used: NULL where a value is needed, an unknown flag or number, not aligned.
pub const MK_BAD_ARGUMENT: mk_status = -3;
/// The size at the beginning of a struct is not one of any version, or a later version's field is set.
pub const MK_BAD_SIZE: mk_status = -4;
/// A string is not UTF-8.
pub const MK_INVALID_UTF8: mk_status = -5;
/// The caller's buffer is too small. The needed length was written.
pub const MK_BUFFER_TOO_SMALL: mk_status = -6;
/// Another call uses this search or stream.
pub const MK_BUSY: mk_status = -7;
/// The process is a fork of the one that opened the archive.
pub const MK_FORKED: mk_status = -8;
/// A callback returned a number other than 0. Its code is `caller`.
pub const MK_CALLBACK: mk_status = -9;
/// The archive was closed.
pub const MK_CLOSED: mk_status = -10;
/// The call was cancelled. What has a receipt stays.
pub const MK_STOPPED: mk_status = -11;
/// The caller asked for something impossible.
pub const MK_MISUSE: mk_status = -12;
/// An error that this version of the interface has no number for; `mk_error_code` names it.
pub const MK_OTHER: mk_status = -13;

/// A file operation failed.
pub const MK_IO: mk_status = -20;
/// The disk is full. Free some space and try again.
pub const MK_DISK_FULL: mk_status = -21;
/// The limit of open files is reached.
pub const MK_TOO_MANY_OPEN_FILES: mk_status = -22;
/// The system provided no thread.
pub const MK_NO_THREAD: mk_status = -23;
/// Another process has the archive open.
pub const MK_IN_USE: mk_status = -24;
/// The archive's folder was moved or replaced while it was open.
pub const MK_LOCK_LOST: mk_status = -25;
/// An earlier write failed; open the archive again.
pub const MK_LATCHED: mk_status = -26;
/// Catalog or index could not be written. All mail is archived.
pub const MK_CACHES_LAG: mk_status = -27;
/// The archive is open for reading only.
pub const MK_READ_ONLY: mk_status = -28;
/// A compaction by another process has removed a file that an archive opened for reading knew. Refresh it, and call again.
pub const MK_SNAPSHOT_GONE: mk_status = -29;

/// Bytes on disk are not what was written.
pub const MK_DAMAGE: mk_status = -40;
/// There is no archive in this folder.
pub const MK_NOT_AN_ARCHIVE: mk_status = -41;
/// Both copies of an identity file are damaged.
pub const MK_BROKEN_IDENTITY: mk_status = -42;
/// An identity file was replaced by an older state.
pub const MK_IDENTITY_OLDER: mk_status = -43;
/// An identity file is not the one that was recorded.
pub const MK_IDENTITY_CHANGED: mk_status = -44;
/// Written in a newer format.
pub const MK_FORMAT_TOO_NEW: mk_status = -45;
/// Written in a format that is no longer read.
pub const MK_FORMAT_TOO_OLD: mk_status = -46;
/// Written by a newer version in a way that allows reading alone.
pub const MK_TOO_NEW_TO_WRITE: mk_status = -47;
/// Something that must be understood is unknown.
pub const MK_UNKNOWN_FEATURE: mk_status = -48;
/// The creation of an archive was cut short in this folder.
pub const MK_UNFINISHED_CREATION: mk_status = -49;
/// A name that was to be created exists.
pub const MK_EXISTS: mk_status = -50;
/// The folder of a store is missing.
pub const MK_STORE_MISSING: mk_status = -51;
/// The store takes no mail until it is repaired.
pub const MK_NEEDS_REPAIR: mk_status = -52;
/// The store is an older state of itself, or another store.
pub const MK_ROLLED_BACK: mk_status = -53;
/// The index failed; rebuild it.
pub const MK_INDEX: mk_status = -54;
/// The index was written by an earlier version.
pub const MK_INDEX_OLDER: mk_status = -55;
/// No store takes new mail; make one current, or create one.
pub const MK_NO_CURRENT_STORE: mk_status = -56;
/// A store is not open, and what was asked for needs all of them.
pub const MK_STORE_NOT_OPEN: mk_status = -57;
/// A store is disabled: the reason for which it is not open.
pub const MK_STORE_IS_DISABLED: mk_status = -58;
/// Messages and folders of a store must not change.
pub const MK_STORE_IS_WRITE_PROTECTED: mk_status = -59;
/// A store could not be closed, since calls still use it.
pub const MK_STORE_BUSY: mk_status = -60;
/// Another store has this name.
pub const MK_STORE_EXISTS: mk_status = -61;
/// The folder has no store of this archive.
pub const MK_NOT_A_STORE: mk_status = -62;

/// The key opens no slot of the archive.
pub const MK_WRONG_KEY: mk_status = -70;
/// The key is malformed.
pub const MK_BAD_KEY: mk_status = -71;
/// The actor may not do this.
pub const MK_DENIED: mk_status = -72;

/// No such message.
pub const MK_NO_SUCH_MESSAGE: mk_status = -80;
/// No such part.
pub const MK_NO_SUCH_PART: mk_status = -81;
/// No such folder.
pub const MK_NO_SUCH_FOLDER: mk_status = -82;
/// No such store.
pub const MK_NO_SUCH_STORE: mk_status = -83;
/// The path names several folders.
pub const MK_AMBIGUOUS_FOLDER: mk_status = -84;
/// The bytes are never a mail.
pub const MK_NOT_A_MAIL: mk_status = -85;
/// The source could not be read at all.
pub const MK_SOURCE: mk_status = -86;
/// The query cannot be understood.
pub const MK_QUERY: mk_status = -87;
/// The message was deleted; `mk_session_undelete` brings it back.
pub const MK_DELETED: mk_status = -88;
/// There is a folder of this path.
pub const MK_FOLDER_EXISTS: mk_status = -89;
/// The folder, or one below it, has messages.
pub const MK_FOLDER_NOT_EMPTY: mk_status = -90;

/// The errors of the library by their codes.
const CODES: [(&str, mk_status); 58] = [
    ("ambiguous_folder", MK_AMBIGUOUS_FOLDER),
    ("bad_key", MK_BAD_KEY),
    ("broken_identity", MK_BROKEN_IDENTITY),
    ("bug", MK_BUG),
    ("caches_lag", MK_CACHES_LAG),
    ("caller", MK_CALLBACK),
    ("closed", MK_CLOSED),
    ("damage", MK_DAMAGE),
    ("deleted", MK_DELETED),
    ("denied", MK_DENIED),
    ("disk_full", MK_DISK_FULL),
    ("exists", MK_EXISTS),
    ("folder_exists", MK_FOLDER_EXISTS),
    ("folder_not_empty", MK_FOLDER_NOT_EMPTY),
    ("forked", MK_FORKED),
    ("format_too_new", MK_FORMAT_TOO_NEW),
    ("format_too_old", MK_FORMAT_TOO_OLD),
    ("identity_changed", MK_IDENTITY_CHANGED),
    ("identity_older", MK_IDENTITY_OLDER),
    ("in_use", MK_IN_USE),
    ("index", MK_INDEX),
    ("index_older", MK_INDEX_OLDER),
    ("io", MK_IO),
    ("latched", MK_LATCHED),
    ("lock_lost", MK_LOCK_LOST),
    ("misuse", MK_MISUSE),
    ("needs_repair", MK_NEEDS_REPAIR),
    ("no_current_store", MK_NO_CURRENT_STORE),
    ("no_such_folder", MK_NO_SUCH_FOLDER),
    ("no_such_message", MK_NO_SUCH_MESSAGE),
    ("no_such_part", MK_NO_SUCH_PART),
    ("no_such_store", MK_NO_SUCH_STORE),
    ("no_thread", MK_NO_THREAD),
    ("not_a_mail", MK_NOT_A_MAIL),
    ("not_a_store", MK_NOT_A_STORE),
    ("not_an_archive", MK_NOT_AN_ARCHIVE),
    ("query", MK_QUERY),
    ("read_only", MK_READ_ONLY),
    ("rolled_back", MK_ROLLED_BACK),
    ("snapshot_gone", MK_SNAPSHOT_GONE),
    ("source", MK_SOURCE),
    ("stopped", MK_STOPPED),
    ("store_busy", MK_STORE_BUSY),
    ("store_disabled", MK_STORE_IS_DISABLED),
    ("store_exists", MK_STORE_EXISTS),
    ("store_missing", MK_STORE_MISSING),
    ("store_not_open", MK_STORE_NOT_OPEN),
    ("store_write_protected", MK_STORE_IS_WRITE_PROTECTED),
    ("too_many_open_files", MK_TOO_MANY_OPEN_FILES),
    ("too_new_to_write", MK_TOO_NEW_TO_WRITE),
    ("unfinished_creation", MK_UNFINISHED_CREATION),
    ("unknown_feature", MK_UNKNOWN_FEATURE),
    ("wrong_key", MK_WRONG_KEY),
    // Those of this border alone.
    ("bad_handle", MK_BAD_HANDLE),
    ("bad_argument", MK_BAD_ARGUMENT),
    ("bad_size", MK_BAD_SIZE),
    ("buffer_too_small", MK_BUFFER_TOO_SMALL),
    ("busy", MK_BUSY),
];

/// The number of a code.
pub(crate) fn status_of(code: &str) -> mk_status {
    CODES.iter().find(|(known, _)| *known == code).map_or(MK_OTHER, |(_, status)| *status)
}

/// The code of a number.
pub(crate) fn code_of(status: mk_status) -> &'static str {
    match status {
        MK_OK => "ok",
        MK_END => "end",
        MK_INVALID_UTF8 => "invalid_utf8",
        status => CODES.iter().find(|(_, known)| *known == status).map_or("other", |(code, _)| code),
    }
}

/// The name of a code for C.
pub(crate) fn c_name(code: &str) -> *const std::ffi::c_char {
    macro_rules! names {
        ($($code:literal),*) => {
            match code {
                $($code => concat!($code, "\0"),)*
                _ => "other\0",
            }
        };
    }
    let name: &'static str = names!(
        "ok",
        "end",
        "invalid_utf8",
        "ambiguous_folder",
        "bad_key",
        "broken_identity",
        "bug",
        "caches_lag",
        "caller",
        "closed",
        "damage",
        "deleted",
        "denied",
        "disk_full",
        "exists",
        "folder_exists",
        "folder_not_empty",
        "forked",
        "format_too_new",
        "format_too_old",
        "identity_changed",
        "identity_older",
        "in_use",
        "index",
        "index_older",
        "io",
        "latched",
        "lock_lost",
        "misuse",
        "needs_repair",
        "no_current_store",
        "no_such_folder",
        "no_such_message",
        "no_such_part",
        "no_such_store",
        "no_thread",
        "not_a_mail",
        "not_a_store",
        "not_an_archive",
        "query",
        "read_only",
        "rolled_back",
        "snapshot_gone",
        "source",
        "stopped",
        "store_busy",
        "store_disabled",
        "store_exists",
        "store_missing",
        "store_not_open",
        "store_write_protected",
        "too_many_open_files",
        "too_new_to_write",
        "unfinished_creation",
        "unknown_feature",
        "wrong_key",
        "bad_handle",
        "bad_argument",
        "bad_size",
        "buffer_too_small",
        "busy"
    );
    name.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_library_has_a_number_of_its_own() {
        let source = include_str!("../../archive-core/src/error.rs");
        let body = source.split("pub fn code(&self)").nth(1).expect("the codes of the library");
        let body = body.split("\n    }\n").next().expect("the end of the function");
        let codes: Vec<&str> = body.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(codes.len() > 30, "{codes:?}");
        for code in codes {
            assert_ne!(status_of(code), MK_OTHER, "{code}");
        }
        let mut numbers: Vec<mk_status> = CODES.iter().map(|(_, status)| *status).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), CODES.len());
        assert_eq!(code_of(MK_QUERY), "query");
    }
}
