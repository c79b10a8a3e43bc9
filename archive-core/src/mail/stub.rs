//! stub
#![allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct Address { pub name: String, pub address: String }
#[derive(Clone, Copy, Debug)]
pub enum Importance { Low = 1, Normal = 2, High = 3 }
#[derive(Clone, Debug)]
pub struct HeaderFacts { pub date: Option<i64>, pub from: Vec<Address>, pub to: Vec<Address>, pub cc: Vec<Address>, pub subject: String, pub message_id: Option<String>, pub in_reply_to: Vec<[u8;8]>, pub references: Vec<[u8;8]>, pub list_id: Option<String>, pub attachments: u32, pub importance: Importance }
pub struct Examined { pub digest: crate::id::Digest, pub identity: crate::id::Identity, pub restated: Option<crate::id::Digest>, pub facts: HeaderFacts, pub split: super::split::Split }
pub fn examine(raw: &[u8]) -> Examined {
    let digest = crate::id::Digest::of(raw);
    let mut id = [0;16]; id.copy_from_slice(&digest.0[..16]);
    Examined { digest, identity: crate::id::Identity(id), restated: None, facts: HeaderFacts { date: None, from: vec![], to: vec![], cc: vec![], subject: String::new(), message_id: None, in_reply_to: vec![], references: vec![], list_id: None, attachments: 0, importance: Importance::Normal }, split: super::split::split(raw) }
}
pub struct Discard;
impl super::SplitSink for Discard { type Error = std::convert::Infallible; fn stored(&mut self, _: &[u8]) -> Result<(), Self::Error> { Ok(()) } fn part_begin(&mut self) -> Result<(), Self::Error> { Ok(()) } fn part(&mut self, _: &[u8]) -> Result<(), Self::Error> { Ok(()) } fn part_end(&mut self) -> Result<(), Self::Error> { Ok(()) } }
pub struct ExaminedHeader { pub digest: crate::id::Digest, pub identity: crate::id::Identity, pub restated: Option<crate::id::Digest>, pub facts: HeaderFacts, pub extents: Vec<super::Extent> }
pub struct Examiner<S: super::SplitSink> { s: super::StreamSplit<S>, h: sha2::Sha256, e: Examined }
impl<S: super::SplitSink> Examiner<S> {
    pub fn new(sink: S) -> Self { use sha2::Digest; Self { s: super::StreamSplit::new(sink), h: sha2::Sha256::new(), e: examine(b"") } }
    pub fn push(&mut self, b: &[u8]) { use sha2::Digest; self.h.update(b); self.s.push(b); }
    pub fn failed(&self) -> Option<&S::Error> { None }
    pub fn finish(self) -> Result<(S, ExaminedHeader), S::Error> { use sha2::Digest; let (sink, extents, _) = self.s.finish()?; let d = crate::id::Digest(self.h.finalize().into()); let mut id=[0;16]; id.copy_from_slice(&d.0[..16]); Ok((sink, ExaminedHeader { digest: d, identity: crate::id::Identity(id), restated: None, facts: self.e.facts, extents })) }
}
