//! The C ABI of Mailkeep. The header is `bindings/c/include/mailkeep.h`, made from this crate; `docs/ABI.md` says what
//! may change when, `exported.txt` which function of the library is called by which function here.
//!
//! Names are those of C. A call is: look up handles, read arguments, call the library, write results. All of it runs
//! inside [`call`](error::call), which turns errors and panics into a status. What a handle stands for is in
//! [`handle`]; nothing here dereferences one.

mod archive;
mod argument;
mod buffer;
mod delete;
mod error;
mod events;
mod export;
mod folders;
mod freeze;
mod handle;
mod import;
mod keys;
mod library;
mod list;
mod page;
mod progress;
mod read;
mod search;
mod session;
mod status;
mod stores;
mod stream;
mod upkeep;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("handles need pointers of 64 bits");
