//! The command `mailkeep`: parses arguments, calls the library, prints.
fn main() {}
