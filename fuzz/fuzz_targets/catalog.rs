//! Pages, directories and manifest of the catalog: no panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive_core::fuzzing::catalog(bytes));
