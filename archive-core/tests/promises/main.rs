//! The promises of the library (docs/DURABILITY.md), each tested through the public door in a module of its number, and the rules of search
//! (docs/SEARCH.md) as whole archives keep them, in modules by chapter.
//!
//! P1, P2, P5 and P13 are in `crash.rs` and `kill.rs`, P9 comes with compaction. Most archives here lie in memory, so that every byte of
//! every file can be looked at and changed. With `MAILKEEP_CORPORA` set to a folder of real mail, that is read too.

#![allow(missing_docs, reason = "a test binary")]

mod caches;
mod clock;
mod creation;
mod deletion;
mod embedding;
mod erasure;
mod examples;
mod filters;
mod fixture;
mod folder_changes;
mod folders;
mod freezing;
mod frozen;
mod handles;
mod healed;
mod hooked;
mod identity;
mod imports;
mod labels;
mod large_mails;
#[cfg(unix)]
mod links;
mod loss;
mod lost;
#[cfg(target_os = "linux")]
mod mapped;
mod odd_dates;
mod odd_headers;
mod odd_structure;
mod opening;
mod p03;
mod p04;
mod p06;
mod p07;
mod p08;
mod p10;
mod p11;
mod p12;
mod p14;
mod p15;
mod pages;
mod progress;
mod readers;
mod repair;
mod rules_answers;
mod rules_criteria;
mod rules_query;
mod rules_text;
mod search;
mod small_commits;
mod stores;
mod tampering;
mod waiting;
