//! What the author of a query should know although it is not an error: text that may be read differently than it was
//! meant, and folders that do not exist.

use archive_index::{FilterKind, Notice, NoticeKind, Query};

use crate::archive::actor::{Acting, FolderScope, folders_of};
use crate::folder::FolderPath;
use crate::id::FolderNo;

/// Folders that are suggested in place of one that does not exist.
const NEAREST: usize = 3;
/// Letters by which the name of a folder may differ from the one that was typed.
const FAR: usize = 2;

/// A notice as text for people.
pub(super) fn of_query(query: &str, notice: &Notice) -> String {
    let place = query.get(notice.range.clone()).unwrap_or_default();
    match notice.kind {
        NoticeKind::UnknownPrefix { nearest: Some(near) } => format!("{place}: is not a field and was read as text; did you mean {near}:?"),
        NoticeKind::UnknownPrefix { nearest: None } => format!("{place}: is not a field and was read as text"),
        NoticeKind::OperatorAsWord => {
            format!("`{place}` was searched as a word: blanks mean AND, OR is written in capitals, and -word excludes a word")
        }
        NoticeKind::Ignored => format!("`{place}` has no letter or digit and was ignored"),
        NoticeKind::ShortWord => {
            format!(
                "`{place}` is searched as it is, since the word has fewer than 4 letters; with a number, as in abc~1, typing errors are forgiven"
            )
        }
        _ => place.to_owned(),
    }
}

impl Acting<'_> {
    /// A notice for each folder of a query that does not exist for the actor, with the folders whose names are nearest.
    pub(super) fn unknown_folders(&self, query: &Query) -> Vec<String> {
        let unknown = query.filters().into_iter().filter_map(|filter| match &filter.kind {
            FilterKind::Folder { path, subfolders } => Some(FolderScope { path: path.clone(), subfolders: *subfolders }),
            _ => None,
        });
        unknown.filter(|scope| !self.is_seen(scope)).map(|scope| self.unknown_folder(&scope.path)).collect()
    }

    /// Whether the actor sees the folder, or one below it.
    fn is_seen(&self, scope: &FolderScope) -> bool {
        // A folder above those that the actor sees is not secret: its name is in their paths.
        let below = FolderScope { subfolders: true, ..scope.clone() };
        self.each_store().any(|within| {
            let (catalog, sight) = (within.store.catalog(), within.sight());
            folders_of(catalog.folders(), [&below]).iter().any(|no| sight.sees(FolderNo(no)))
        })
    }

    fn unknown_folder(&self, path: &str) -> String {
        let fold = |name: &str| archive_index::fold(name).into_owned();
        let wanted = fold(path.rsplit('/').next().unwrap_or(path));
        let far = |name: &str| strsim::osa_distance(&wanted, &fold(name));
        let mut near: Vec<(usize, String)> = Vec::new();
        for within in self.each_store() {
            let (catalog, sight) = (within.store.catalog(), within.sight());
            let folders = catalog.folders();
            let seen = folders.iter().filter(|folder| sight.sees(FolderNo(folder.no)));
            let alike = seen
                .map(|folder| (far(folder.name), folder.no))
                .filter(|(far, _)| *far <= FAR.min(wanted.chars().count() / 2))
                .filter_map(|(far, no)| Some((far, FolderPath::from_names(folders.path(FolderNo(no))).ok()?.to_string())));
            near.extend(alike);
        }
        near.sort();
        near.dedup();
        near.truncate(NEAREST);
        let near: Vec<String> = near.into_iter().map(|(_, path)| format!("`{path}`")).collect();
        match near.is_empty() {
            true => format!("there is no folder `{path}`"),
            false => format!("there is no folder `{path}`; similar: {}", near.join(", ")),
        }
    }
}
