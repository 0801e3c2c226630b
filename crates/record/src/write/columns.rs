//! Conversations to Arrow columns.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array, UInt64Array,
};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ArrowWriter;
use rustc_hash::FxHashMap;

use super::WriteError;
use crate::schema::{self, Word};
use crate::{Conversation, Event};

/// Rows collected before they are handed to Parquet.
const BATCH_ROWS: usize = 8192;
/// Text collected before it is handed to Parquet, in bytes.
const BATCH_BYTES: usize = 8 << 20;
/// Longest single text. Arrow counts the bytes of a column with 31 bits.
const TEXT_BYTES: usize = 1 << 30;

/// Column of repeating strings: a dictionary that grows while a batch is collected.
#[derive(Default)]
struct Words {
    keys: Vec<Option<i32>>,
    values: Vec<Arc<str>>,
    known: FxHashMap<Arc<str>, i32>,
    last: Option<(Arc<str>, i32)>,
}

impl Words {
    fn push(&mut self, value: Option<&Arc<str>>) {
        let key = value.map(|v| self.key(v));
        self.keys.push(key);
    }

    fn repeat(&mut self, value: Option<&Arc<str>>, times: usize) {
        let key = value.map(|v| self.key(v));
        self.keys.resize(self.keys.len() + times, key);
    }

    /// Values usually repeat from row to row through one shared pointer: no hash is needed then.
    fn key(&mut self, value: &Arc<str>) -> i32 {
        if let Some((last, key)) = &self.last
            && Arc::ptr_eq(last, value)
        {
            return *key;
        }
        let key = match self.known.get(value) {
            Some(key) => *key,
            None => {
                // A batch has at most BATCH_ROWS values, so the cast cannot wrap.
                let key = self.values.len() as i32;
                self.values.push(value.clone());
                self.known.insert(value.clone(), key);
                key
            }
        };
        self.last = Some((value.clone(), key));
        key
    }

    fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        let keys = Int32Array::from(std::mem::take(&mut self.keys));
        let values = StringArray::from_iter_values(self.values.drain(..));
        self.known.clear();
        self.last = None;
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
            keys,
            Arc::new(values),
        )?))
    }
}

/// Column of an enumeration: the whole dictionary is known beforehand.
struct Enum<T> {
    keys: Vec<Option<i32>>,
    of: std::marker::PhantomData<T>,
}

impl<T: Word> Enum<T> {
    fn new() -> Self {
        Enum {
            keys: Vec::new(),
            of: std::marker::PhantomData,
        }
    }

    fn push(&mut self, value: Option<T>) {
        let key = value.and_then(|v| T::WORDS.iter().position(|(w, _)| *w == v));
        self.keys.push(key.map(|k| k as i32));
    }

    fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        let keys = Int32Array::from(std::mem::take(&mut self.keys));
        let values = StringArray::from_iter_values(T::WORDS.iter().map(|(_, w)| w));
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
            keys,
            Arc::new(values),
        )?))
    }
}

/// Rows collected for the next batch.
pub(super) struct Columns {
    schema: SchemaRef,
    keep_text: bool,
    text_bytes: usize,
    deployment: Words,
    person: Words,
    conversation: Words,
    seq: Vec<u32>,
    time: Vec<Option<i64>>,
    offset_seconds: Vec<Option<i32>>,
    time_quality: Enum<crate::TimeQuality>,
    role: Enum<crate::Role>,
    kind: Enum<crate::Kind>,
    text: StringBuilder,
    item: Words,
    reaction: Vec<Option<f64>>,
    system: Words,
    system_source: Enum<crate::SystemSource>,
    policy: Words,
    propensity: Vec<Option<f64>>,
    id: StringBuilder,
    parent: StringBuilder,
    source: Words,
    format: Enum<crate::Format>,
    position: Vec<u64>,
}

impl Columns {
    pub(super) fn new(text: bool) -> Self {
        Columns {
            schema: Arc::new(schema::arrow()),
            keep_text: text,
            text_bytes: 0,
            deployment: Words::default(),
            person: Words::default(),
            conversation: Words::default(),
            seq: Vec::new(),
            time: Vec::new(),
            offset_seconds: Vec::new(),
            time_quality: Enum::new(),
            role: Enum::new(),
            kind: Enum::new(),
            text: StringBuilder::new(),
            item: Words::default(),
            reaction: Vec::new(),
            system: Words::default(),
            system_source: Enum::new(),
            policy: Words::default(),
            propensity: Vec::new(),
            id: StringBuilder::new(),
            parent: StringBuilder::new(),
            source: Words::default(),
            format: Enum::new(),
            position: Vec::new(),
        }
    }

    /// Collects the rows of one conversation, and passes full batches on.
    pub(super) fn write<W: Write + Send>(
        &mut self,
        of: &Conversation,
        out: &mut ArrowWriter<W>,
    ) -> Result<(), WriteError> {
        let too_large = || WriteError::TooLarge {
            source_file: of.source.clone(),
        };
        let mut seq = 0u32;
        for rows in of.events.chunks(BATCH_ROWS) {
            let mut pending = 0;
            for event in rows {
                let bytes = bytes(event, self.keep_text);
                if bytes > TEXT_BYTES {
                    return Err(too_large());
                }
                if self.text_bytes + bytes > BATCH_BYTES || self.seq.len() >= BATCH_ROWS {
                    self.head(of, pending);
                    pending = 0;
                    self.flush(out)?;
                }
                self.text_bytes += bytes;
                self.event(seq, event);
                seq = seq.checked_add(1).ok_or_else(too_large)?;
                pending += 1;
            }
            self.head(of, pending);
        }
        Ok(())
    }

    fn head(&mut self, of: &Conversation, times: usize) {
        self.deployment.repeat(Some(&of.deployment), times);
        self.person.repeat(of.person.as_ref(), times);
        self.conversation.repeat(Some(&of.id), times);
        self.source.repeat(Some(&of.source), times);
        for _ in 0..times {
            self.format.push(Some(of.format));
        }
    }

    fn event(&mut self, seq: u32, event: &Event) {
        self.seq.push(seq);
        self.time.push(event.time.map(|t| t.micros));
        self.offset_seconds
            .push(event.time.and_then(|t| t.offset_seconds));
        self.time_quality.push(event.time.map(|t| t.quality));
        self.role.push(Some(event.role));
        self.kind.push(Some(event.kind));
        self.text
            .append_option(event.text.as_deref().filter(|_| self.keep_text));
        self.item.push(event.item.as_ref());
        self.reaction.push(event.reaction);
        self.system.push(event.system.as_ref());
        self.system_source.push(Some(event.system_source));
        self.policy.push(event.policy.as_ref());
        self.propensity.push(event.propensity);
        self.id.append_value(&event.id);
        self.parent.append_option(event.parent.as_deref());
        self.position.push(event.position);
    }

    /// Hands the collected rows to Parquet.
    pub(super) fn flush<W: Write + Send>(
        &mut self,
        out: &mut ArrowWriter<W>,
    ) -> Result<(), WriteError> {
        self.text_bytes = 0;
        if !self.seq.is_empty() {
            let arrays = self.take()?;
            out.write(&RecordBatch::try_new(self.schema.clone(), arrays)?)?;
        }
        Ok(())
    }

    /// The arrays, in the order of [`schema::COLUMNS`].
    fn take(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        let time = TimestampMicrosecondArray::from(std::mem::take(&mut self.time));
        Ok(vec![
            self.deployment.take()?,
            self.person.take()?,
            self.conversation.take()?,
            Arc::new(UInt32Array::from(std::mem::take(&mut self.seq))),
            Arc::new(time.with_timezone("UTC")),
            Arc::new(Int32Array::from(std::mem::take(&mut self.offset_seconds))),
            self.time_quality.take()?,
            self.role.take()?,
            self.kind.take()?,
            Arc::new(self.text.finish()),
            self.item.take()?,
            Arc::new(Float64Array::from(std::mem::take(&mut self.reaction))),
            self.system.take()?,
            self.system_source.take()?,
            self.policy.take()?,
            Arc::new(Float64Array::from(std::mem::take(&mut self.propensity))),
            Arc::new(self.id.finish()),
            Arc::new(self.parent.finish()),
            self.source.take()?,
            self.format.take()?,
            Arc::new(UInt64Array::from(std::mem::take(&mut self.position))),
        ])
    }
}

fn bytes(event: &Event, text: bool) -> usize {
    let words = event.text.as_deref().filter(|_| text).map_or(0, str::len);
    words + event.id.len() + event.parent.as_deref().map_or(0, str::len)
}
