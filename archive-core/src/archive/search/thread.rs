//! Threads: the messages that refer to each other by References and In-Reply-To, as far as the actor sees them.

use std::collections::BTreeSet;

use archive_index::{Bound, LabelKind, Leaf, Query, RoaringBitmap};

use super::Zone;
use super::calendar::Calendar;
use super::found::Searcher;
use crate::archive::actor::Acting;
use crate::error::Error;
use crate::id::{ContentNo, MessageId};
use crate::mail::facts::id_hash;
use crate::message::MessageInfo;
use crate::progress::Progress;
use crate::store::{failed, id_label};

/// The most messages of a thread.
const MOST: usize = 10_000;

impl Acting<'_> {
    pub(in crate::archive) fn thread(&self, id: MessageId, progress: &Progress) -> Result<Vec<MessageInfo>, Error> {
        let first = self.content_of(id)?;
        let store = &self.archive.store;
        let snapshot = store.indexer().snapshot().until(progress.flag());
        let (view, sight) = self.view();
        let calendar = Calendar::new(Zone::utc(), 0);
        let searcher = Searcher::new(store, &view, &snapshot, &sight, &calendar);
        let contents = searcher.thread(first)?;
        let mut messages = Vec::new();
        searcher.messages_of(contents)?.each(searcher.catalog(), |placed| {
            messages.extend(self.unless_deleted(MessageId { store: store.no(), no: placed.message })?);
            Ok(())
        })?;
        messages.sort_by_key(|info| (info.date.is_none(), info.date, info.id));
        Ok(messages)
    }
}

impl Searcher<'_> {
    /// The contents of a thread, of which the actor sees a message.
    pub(super) fn thread(&self, first: ContentNo) -> Result<RoaringBitmap, Error> {
        let mut contents = RoaringBitmap::from_iter([first.0]);
        let mut waiting = vec![first];
        let mut asked = BTreeSet::new();
        while let Some(content) = waiting.pop() {
            self.snapshot.check_stop().map_err(failed)?;
            for hash in self.hashes(content)?.into_iter().filter(|hash| asked.insert(*hash)) {
                let mut docs = RoaringBitmap::new();
                for kind in [LabelKind::Id, LabelKind::Reference] {
                    let bound: Bound = Query::of_leaf(Leaf::Labels(vec![id_label(kind, &hash).into()]));
                    docs |= self.snapshot.search(&bound).map_err(failed)?;
                }
                docs -= &contents;
                let found = self.messages_of(docs)?;
                let visible = found.singles.iter().chain(found.placed.iter().map(|placed| placed.content.0));
                for content in visible {
                    if (contents.len() as usize) < MOST && contents.insert(content) {
                        waiting.push(ContentNo(content));
                    }
                }
            }
        }
        Ok(contents)
    }

    /// Hashes of the ids of a content and of those it refers to.
    fn hashes(&self, content: ContentNo) -> Result<Vec<[u8; 8]>, Error> {
        let Some(fact) = self.store.content_fact(content)? else { return Ok(Vec::new()) };
        let own = fact.header_message_id.iter().map(|id| id_hash(id.as_bytes()));
        let referred = fact.in_reply_to.as_chunks().0.iter().chain(fact.references.as_chunks().0).copied();
        Ok(own.chain(referred).collect())
    }
}
