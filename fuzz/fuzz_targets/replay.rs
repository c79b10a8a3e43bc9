//! Records of good frames with any bytes in them, scanned and applied to a catalog: no panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive_core::fuzzing::replay(bytes));
