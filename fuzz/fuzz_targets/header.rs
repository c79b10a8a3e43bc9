//! The header of a file: no panic, and what is accepted encodes to the same bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive_core::fuzzing::header(bytes));
