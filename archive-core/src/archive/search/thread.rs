//! Threads: the messages that refer to each other by References and In-Reply-To, in all stores, as far as the actor sees
//! them.

use std::collections::{BTreeMap, BTreeSet};

use archive_index::{Bound, FilterKind, LabelKind, Leaf, Query, RoaringBitmap, Snapshot};

use super::Zone;
use super::calendar::Calendar;
use super::found::Searcher;
use crate::archive::actor::{Acting, Sight};
use crate::error::Error;
use crate::id::{ContentNo, MessageId, MessageNo, StoreNo};
use crate::mail::facts::id_hash;
use crate::message::MessageInfo;
use crate::progress::Progress;
use crate::store::{Store, View, failed, id_label};

/// The most messages of a thread.
const MOST: u64 = 10_000;

/// The contents of threads by store, each thread by store and number of the message that was named.
pub(super) type Threads = BTreeMap<(u32, u32), Thread>;

type Thread = BTreeMap<StoreNo, RoaringBitmap>;

/// A store in which a thread is looked for.
struct Looked<'a> {
    store: &'a Store,
    snapshot: Snapshot,
    view: View,
    sight: Sight,
}

impl Acting<'_> {
    pub(in crate::archive) fn thread(&self, id: MessageId, progress: &Progress) -> Result<Vec<MessageInfo>, Error> {
        let first = self.of(id)?.content_of(id)?;
        let (calendar, none) = (Calendar::new(Zone::utc(), 0), Threads::new());
        let (stores, thread) = loop {
            let stores = self.look(progress);
            match thread(&stores, &calendar, (id.store, first)) {
                // It was noted, and is left out from now on.
                Err(Error::IndexDamaged(_)) => {}
                thread => break (stores, thread?),
            }
        };
        let mut messages = Vec::new();
        for (no, contents) in thread {
            let Some((within, looked)) = self.in_store(no).zip(stores.iter().find(|looked| looked.store.no() == no)) else { continue };
            let searcher = looked.searcher(&calendar, &none);
            searcher.messages_of(contents)?.each(searcher.catalog(), |placed| {
                messages.extend(within.unless_deleted(looked.store.message_id(placed.message))?);
                Ok(())
            })?;
        }
        messages.sort_by_key(|info| (info.date.is_none(), info.date, info.id));
        Ok(messages)
    }

    /// The threads that a query names. Those of messages that do not exist for the actor are empty.
    pub(super) fn threads(&self, query: Option<&Query>, progress: &Progress) -> Result<Threads, Error> {
        let mut threads = Threads::new();
        for filter in query.into_iter().flat_map(Query::filters) {
            let FilterKind::Thread(of) = filter.kind else { continue };
            let id = MessageId { store: StoreNo(of.store), no: MessageNo(of.message) };
            let first = match self.of(id).and_then(|within| within.content_of(id)) {
                Err(Error::NoSuchMessage(_) | Error::Deleted { .. }) => continue,
                first => first?,
            };
            let contents = thread(&self.look(progress), &Calendar::new(Zone::utc(), 0), (id.store, first))?;
            threads.insert((of.store, of.message), contents);
        }
        Ok(threads)
    }

    fn look(&self, progress: &Progress) -> Vec<Looked<'_>> {
        let look = |store| Looked::new(store, progress);
        self.each_store().map(|within| look((within.store, within.view()))).collect()
    }
}

impl<'a> Looked<'a> {
    fn new((store, (view, sight)): (&'a std::sync::Arc<Store>, (View, Sight)), progress: &Progress) -> Self {
        Self { store, snapshot: store.indexer().snapshot().until(progress.flag()), view, sight }
    }

    fn searcher<'s>(&'s self, calendar: &'s Calendar, threads: &'s Threads) -> Searcher<'s> {
        Searcher::new(self.store, &self.view, &self.snapshot, &self.sight, calendar, threads)
    }
}

/// The contents of the thread of `first`, of which the actor sees a message.
fn thread(stores: &[Looked<'_>], calendar: &Calendar, first: (StoreNo, ContentNo)) -> Result<Thread, Error> {
    let none = Threads::new();
    let searchers: Vec<Searcher<'_>> = stores.iter().map(|looked| looked.searcher(calendar, &none)).collect();
    let mut thread = Thread::from([(first.0, RoaringBitmap::from_iter([first.1.0]))]);
    let (mut waiting, mut asked, mut len) = (vec![first], BTreeSet::new(), 1);
    while let Some((store, content)) = waiting.pop() {
        let Some(searcher) = searchers.iter().find(|searcher| searcher.store.no() == store) else { continue };
        searcher.snapshot.check_stop().map_err(failed)?;
        for hash in searcher.hashes(content)?.into_iter().filter(|hash| asked.insert(*hash)) {
            for searcher in &searchers {
                let no = searcher.store.no();
                let contents = thread.entry(no).or_default();
                for content in super::noted(searcher.store, searcher.that_name(&hash, contents))? {
                    if len < MOST && contents.insert(content) {
                        len += 1;
                        waiting.push((no, ContentNo(content)));
                    }
                }
            }
        }
    }
    Ok(thread)
}

impl Searcher<'_> {
    /// The contents that have an id or refer to it, besides `known`.
    fn that_name(&self, hash: &[u8; 8], known: &RoaringBitmap) -> Result<Vec<u32>, Error> {
        let mut docs = RoaringBitmap::new();
        for kind in [LabelKind::Id, LabelKind::Reference] {
            let bound: Bound = Query::of_leaf(Leaf::Labels(vec![id_label(kind, hash).into()]));
            docs |= self.snapshot.search(&bound).map_err(failed)?;
        }
        docs -= known;
        let found = self.messages_of(docs)?;
        Ok(found.singles.iter().chain(found.placed.iter().map(|placed| placed.content.0)).collect())
    }

    /// Hashes of the ids of a content and of those it refers to.
    fn hashes(&self, content: ContentNo) -> Result<Vec<[u8; 8]>, Error> {
        let Some(fact) = self.store.content_fact(content)? else { return Ok(Vec::new()) };
        let own = fact.header_message_id.iter().map(|id| id_hash(id.as_bytes()));
        let referred = fact.in_reply_to.as_chunks().0.iter().chain(fact.references.as_chunks().0).copied();
        Ok(own.chain(referred).collect())
    }
}
