//! Any bytes are a mail: joining what was split gives exactly the same bytes, and pieces of any size change nothing.
#![no_main]

use archive_core::Digest;
use archive_core::mail::{examine, join::join};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let examined = examine(bytes);
    assert_eq!(examined.digest, Digest::of(bytes));
    assert!(join(&examined.split).ok().as_deref() == Some(bytes), "what was split does not join");
    assert_eq!(examine(bytes), examined, "examined twice, found twice");
});
