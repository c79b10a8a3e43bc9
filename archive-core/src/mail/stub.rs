//! stub
#![allow(missing_docs)]
use super::Extent;
pub trait SplitSink { type Error; fn stored(&mut self, b: &[u8]) -> Result<(), Self::Error>; fn part_begin(&mut self) -> Result<(), Self::Error>; fn part(&mut self, b: &[u8]) -> Result<(), Self::Error>; fn part_end(&mut self) -> Result<(), Self::Error>; }
#[derive(Clone, Debug)]
pub struct Address { pub name: String, pub address: String }
#[derive(Clone, Copy, Debug)]
pub enum Importance { Low = 1, Normal = 2, High = 3 }
#[derive(Clone, Debug)]
pub struct HeaderFacts { pub date: Option<i64>, pub from: Vec<Address>, pub to: Vec<Address>, pub cc: Vec<Address>, pub subject: String, pub message_id: Option<String>, pub in_reply_to: Vec<[u8;8]>, pub references: Vec<[u8;8]>, pub list_id: Option<String>, pub attachments: u32, pub importance: Importance }
pub struct Joiner;
impl Joiner { pub fn new() -> Self { Self } pub fn begin(&mut self, _e: Extent) {} pub fn push<E>(&mut self, _b: &[u8], _s: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> { Ok(()) } pub fn end<E>(&mut self, _s: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> { Ok(()) } }
