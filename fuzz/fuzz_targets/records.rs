//! Facts, commits, tables, stamps: no panic, no allocation that the bytes do not justify.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive_core::fuzzing::records(bytes));
