//! Head and body of a frame up to the seal: no panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive_core::fuzzing::frame(bytes));
