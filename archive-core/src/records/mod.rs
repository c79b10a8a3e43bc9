//! Recovery records: every fact about the store in the order in which it became true (P4).
//!
//! It knows kinds, commits, the chain and the tree head; the catalog knows what facts mean. A commit is whole or absent
//! (P2), sequence numbers have no gaps, and every frame says up to which commit everything was synced when it was
//! written. Bytes: docs/FORMAT.md, "Records".

mod chain;
mod commit;
mod erasure;
mod fact;
mod head;
mod log;
mod moved;
mod rewrite;
mod salts;
mod scan;
mod stamp;
mod tree;
mod value;

pub(crate) use chain::Link;
pub(crate) use commit::{Commit, Fact, NewFact};
pub(crate) use erasure::{ContainersRemovedFact, Doomed, ErasureDoneFact, ErasureFact, MOST_NUMBERS, numbers_of, ranges_of};
pub(crate) use fact::{
    AcceptedFact, CheckpointFact, ContainerFact, ContentFact, DIRECTION_UNKNOWN, DamageFact, DamagedPlace, DateSource, DeletedFact,
    FactKind, FolderFact, FolderMovedFact, FolderRemovedFact, FolderRenamedFact, ImportRunFact, KeyChangeFact, MessageFact, PackedFact,
    PartFact, RecoveredFact, RepairedFact, Run, Runs, SettingFact, Shape, ShapeExtent, StoreFact, Undeleted, UndeletedFact,
};
pub(crate) use head::{Head, HeadNumbers, SeenHead, head_path, read_head, write_head};
pub(crate) use log::{CommitPlace, CommitSpan, Committed, NewCommit, Records, TakenCommit, file_number, file_path};
pub(crate) use rewrite::{Rewritten, Without};
pub(crate) use salts::{Salt, SaltRange, Salts};
pub(crate) use scan::{
    Listing, RecordsFile, Scan, ScanItem, ScannedCommit, cut_tail, give_names_back, list_files, next_frame, open_file, read_commit,
};
pub(crate) use stamp::Stamp;
pub(crate) use tree::{Frontier, TreeHead, leaf_hash};
pub(crate) use value::{FactValue, KIND, class_of_kind};
