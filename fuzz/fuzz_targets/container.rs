//! A container of good frames with any bytes in them, walked over and read: no panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive_core::fuzzing::container(bytes));
