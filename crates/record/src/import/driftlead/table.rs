//! The record as Parquet.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float64Type, Int32Type, TimestampMicrosecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::ChunkReader;

use super::assemble::{Assembler, Head};
use super::check_version;
use crate::import::{Options, Parsed, UnitError};
use crate::schema::{COLUMNS, ColumnType, VERSION_KEY, Word, data_type};
use crate::{Event, Format, Kind, Reason, Role, SystemSource, Time, TimeQuality};

/// Most rows decoded at once.
const BATCH_ROWS: usize = 8192;
/// Bytes that one decoded batch should not exceed by much.
const BATCH_BYTES: i64 = 16 << 20;
/// Most bytes that the file may claim to hold once decompressed (formats.md §2.3).
const FILE_BYTES: i64 = 8 << 30;

/// Reads a Parquet record, row group by row group.
///
/// # Errors
/// When the file is not a record of this version, when it is damaged, or when rows of a conversation
/// do not stand together.
pub(crate) fn read_parquet<R: ChunkReader + 'static>(
    input: R,
    _source: &Arc<str>,
    _options: &Options,
    deliver: &mut dyn FnMut(Parsed),
) -> Result<(), UnitError> {
    let mut reader = guarded(|| open(input))?;
    let mut rows = Assembler::new(deliver);
    let mut words = Caches::default();
    while let Some(batch) = guarded(|| reader.next().transpose().map_err(|e| damaged(&e)))? {
        words.batch(&batch, &mut rows)?;
    }
    rows.finish();
    Ok(())
}

/// The Parquet decoder trusts some lengths in the file and panics when they lie. A damaged file is
/// an error like any other, so the panic ends here.
fn guarded<T>(work: impl FnOnce() -> Result<T, UnitError>) -> Result<T, UnitError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(damaged(&"the decoder gave up on the file's structure")))
}

fn damaged(error: &dyn std::fmt::Display) -> UnitError {
    UnitError::Structure(format!("the Parquet file is damaged ({error})"))
}

fn open<R: ChunkReader + 'static>(input: R) -> Result<ParquetRecordBatchReader, UnitError> {
    let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let found = ArrowReaderMetadata::load(&input, plain).map_err(|e| damaged(&e))?;
    let metadata = found.metadata().clone();
    check_version(version(&metadata))?;
    let batch_rows = batch_rows(&metadata)?;
    // Other writers store words as plain strings; they are decoded as dictionaries all the same.
    let options = ArrowReaderOptions::new().with_schema(Arc::new(wanted(found.schema())?));
    let metadata = ArrowReaderMetadata::try_new(metadata, options).map_err(|e| {
        UnitError::Structure(format!("the record's columns have other types ({e})"))
    })?;
    let mask = ProjectionMask::columns(metadata.parquet_schema(), COLUMNS.iter().map(|c| c.name));
    ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata)
        .with_projection(mask)
        .with_batch_size(batch_rows)
        .build()
        .map_err(|e| damaged(&e))
}

fn version(metadata: &ParquetMetaData) -> Option<&str> {
    let pairs = metadata.file_metadata().key_value_metadata()?;
    let pair = pairs.iter().find(|p| p.key == VERSION_KEY)?;
    pair.value.as_deref()
}

/// Rows per batch such that long texts do not add up.
fn batch_rows(metadata: &ParquetMetaData) -> Result<usize, UnitError> {
    let mut rows = BATCH_ROWS as i64;
    let mut total = 0i64;
    for group in metadata.row_groups() {
        let bytes = group.total_byte_size().max(0);
        total = total.saturating_add(bytes);
        let per_row = bytes / group.num_rows().max(1) + 1;
        rows = rows.min(BATCH_BYTES / per_row);
    }
    if total > FILE_BYTES {
        return Err(UnitError::Structure(format!(
            "the record holds {total} bytes, above the limit of {FILE_BYTES}; split it by person"
        )));
    }
    Ok(usize::try_from(rows.max(16)).unwrap_or(BATCH_ROWS))
}

/// The file's columns, with our types for ours.
fn wanted(found: &Schema) -> Result<Schema, UnitError> {
    for column in COLUMNS {
        if found.column_with_name(column.name).is_none() {
            return Err(UnitError::Structure(format!(
                "the record has no column `{}`",
                column.name
            )));
        }
    }
    let fields: Vec<Field> = found
        .fields()
        .iter()
        .map(|f| match COLUMNS.iter().find(|c| c.name == f.name()) {
            Some(c) => Field::new(f.name(), our_type(c.of, f.data_type()), f.is_nullable()),
            None => f.as_ref().clone(),
        })
        .collect();
    Ok(Schema::new_with_metadata(fields, HashMap::new()))
}

/// A time without a zone is accepted as well: other writers drop it.
fn our_type(of: ColumnType, found: &DataType) -> DataType {
    match (of, found) {
        (ColumnType::Micros, DataType::Timestamp(unit, None)) => DataType::Timestamp(*unit, None),
        _ => data_type(of),
    }
}

/// Shared strings of one column, kept while the file repeats its dictionary from batch to batch.
#[derive(Default)]
struct Cache {
    values: Option<StringArray>,
    shared: Vec<Option<Arc<str>>>,
}

impl Cache {
    fn load(&mut self, column: &ArrayRef) -> Result<(), UnitError> {
        let values = column.as_any_dictionary_opt().map(|d| d.values());
        let values = values.and_then(|v| v.as_string_opt::<i32>());
        let values = values.ok_or_else(|| damaged(&"a column is not a dictionary of strings"))?;
        let known = self.values.as_ref().is_some_and(|old| {
            std::ptr::eq(old.value_data().as_ptr(), values.value_data().as_ptr())
                && old.value_offsets() == values.value_offsets()
        });
        if !known {
            self.shared.clear();
            self.shared.resize(values.len(), None);
            self.values = Some(values.clone());
        }
        Ok(())
    }

    fn get(&mut self, key: usize) -> Option<Arc<str>> {
        let slot = self.shared.get_mut(key)?;
        if slot.is_none() {
            let values = self.values.as_ref()?;
            *slot = (key < values.len()).then(|| Arc::from(values.value(key)));
        }
        slot.clone()
    }
}

#[derive(Default)]
struct Caches {
    deployment: Cache,
    person: Cache,
    conversation: Cache,
    item: Cache,
    system: Cache,
    policy: Cache,
    source: Cache,
    last_id: Option<Arc<str>>,
}

/// The dictionary keys of one column of a batch.
struct Keys<'a>(&'a PrimitiveArray<Int32Type>);

impl Keys<'_> {
    fn at(&self, row: usize) -> Option<usize> {
        self.0
            .is_valid(row)
            .then(|| usize::try_from(self.0.value(row)).ok())
            .flatten()
    }
}

/// An enumeration column: its words are looked up once per batch.
struct Enums<'a, T> {
    keys: Keys<'a>,
    values: Vec<Option<T>>,
    words: &'a StringArray,
}

impl<'a, T: Word> Enums<'a, T> {
    fn of(batch: &'a RecordBatch, name: &str) -> Result<Self, UnitError> {
        let column = column(batch, name)?;
        let dictionary = column
            .as_dictionary_opt::<Int32Type>()
            .ok_or_else(|| damaged(&"a column is not a dictionary"))?;
        let words = dictionary
            .values()
            .as_string_opt::<i32>()
            .ok_or_else(|| damaged(&"a dictionary holds no strings"))?;
        Ok(Enums {
            keys: Keys(dictionary.keys()),
            values: words.iter().map(|w| w.and_then(T::of)).collect(),
            words,
        })
    }

    fn at(&self, row: usize) -> Option<T> {
        self.values.get(self.keys.at(row)?).copied().flatten()
    }

    fn word(&self, row: usize) -> &str {
        match self.keys.at(row) {
            Some(key) if key < self.words.len() => self.words.value(key),
            _ => "",
        }
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, UnitError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| UnitError::Structure(format!("the record has no column `{name}`")))
}

fn numbers<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a PrimitiveArray<T>, UnitError> {
    column(batch, name)?
        .as_primitive_opt::<T>()
        .ok_or_else(|| damaged(&"a number column has another type"))
}

fn strings<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, UnitError> {
    column(batch, name)?
        .as_string_opt::<i32>()
        .ok_or_else(|| damaged(&"a text column has another type"))
}

fn number<T: ArrowPrimitiveType>(of: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    of.is_valid(row).then(|| of.value(row))
}

fn string(of: &StringArray, row: usize) -> Option<&str> {
    of.is_valid(row).then(|| of.value(row))
}

/// All columns of one batch, typed.
struct Columns<'a> {
    deployment: Keys<'a>,
    person: Keys<'a>,
    conversation: Keys<'a>,
    seq: &'a PrimitiveArray<UInt32Type>,
    time: &'a PrimitiveArray<TimestampMicrosecondType>,
    offset: &'a PrimitiveArray<Int32Type>,
    quality: Enums<'a, TimeQuality>,
    role: Enums<'a, Role>,
    kind: Enums<'a, Kind>,
    text: &'a StringArray,
    item: Keys<'a>,
    reaction: &'a PrimitiveArray<Float64Type>,
    system: Keys<'a>,
    system_source: Enums<'a, SystemSource>,
    policy: Keys<'a>,
    propensity: &'a PrimitiveArray<Float64Type>,
    id: &'a StringArray,
    parent: &'a StringArray,
    source: Keys<'a>,
    format: Enums<'a, Format>,
    position: &'a PrimitiveArray<UInt64Type>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch, caches: &mut Caches) -> Result<Self, UnitError> {
        let keys = |name: &str, cache: &mut Cache| {
            let column = column(batch, name)?;
            cache.load(column)?;
            let keys = column.as_dictionary_opt::<Int32Type>().map(|d| d.keys());
            keys.map(Keys)
                .ok_or_else(|| damaged(&"a column is not a dictionary"))
        };
        Ok(Columns {
            deployment: keys("deployment", &mut caches.deployment)?,
            person: keys("person", &mut caches.person)?,
            conversation: keys("conversation", &mut caches.conversation)?,
            seq: numbers(batch, "seq")?,
            time: numbers(batch, "time")?,
            offset: numbers(batch, "offset_seconds")?,
            quality: Enums::of(batch, "time_quality")?,
            role: Enums::of(batch, "role")?,
            kind: Enums::of(batch, "kind")?,
            text: strings(batch, "text")?,
            item: keys("item", &mut caches.item)?,
            reaction: numbers(batch, "reaction")?,
            system: keys("system", &mut caches.system)?,
            system_source: Enums::of(batch, "system_source")?,
            policy: keys("policy", &mut caches.policy)?,
            propensity: numbers(batch, "propensity")?,
            id: strings(batch, "id")?,
            parent: strings(batch, "parent")?,
            source: keys("source", &mut caches.source)?,
            format: Enums::of(batch, "format")?,
            position: numbers(batch, "position")?,
        })
    }

    fn time(&self, row: usize) -> Result<Option<Time>, Reason> {
        match (number(self.time, row), self.quality.at(row)) {
            (Some(micros), Some(quality)) => Ok(Some(Time {
                micros,
                offset_seconds: number(self.offset, row),
                quality,
            })),
            (None, None) => Ok(None),
            _ => Err(Reason::MalformedLine),
        }
    }
}

impl Caches {
    fn batch(&mut self, batch: &RecordBatch, rows: &mut Assembler<'_>) -> Result<(), UnitError> {
        let columns = Columns::of(batch, self)?;
        for row in 0..batch.num_rows() {
            match self.row(&columns, row) {
                Ok((head, seq, event)) => rows.row(head, seq, event)?,
                Err(Reason::UnknownRole) => {
                    rows.skip_unknown(Reason::UnknownRole, "role", columns.role.word(row));
                }
                Err(Reason::UnknownContentType) => {
                    rows.skip_unknown(Reason::UnknownContentType, "kind", columns.kind.word(row))
                }
                Err(reason) => rows.skip(reason),
            }
        }
        Ok(())
    }

    fn row(&mut self, c: &Columns<'_>, row: usize) -> Result<(Head, u32, Event), Reason> {
        let bad = Reason::MalformedLine;
        let id: Arc<str> = Arc::from(string(c.id, row).ok_or(bad)?);
        let head = Head {
            deployment: shared(&mut self.deployment, &c.deployment, row).ok_or(bad)?,
            person: shared(&mut self.person, &c.person, row),
            conversation: shared(&mut self.conversation, &c.conversation, row).ok_or(bad)?,
            source: shared(&mut self.source, &c.source, row).ok_or(bad)?,
            format: c.format.at(row).ok_or(bad)?,
        };
        let parent = string(c.parent, row).map(|p| self.parent(p));
        self.last_id = Some(id.clone());
        let event = Event {
            id,
            parent,
            time: c.time(row)?,
            role: c.role.at(row).ok_or(Reason::UnknownRole)?,
            kind: c.kind.at(row).ok_or(Reason::UnknownContentType)?,
            text: string(c.text, row).map(Box::from),
            item: shared(&mut self.item, &c.item, row),
            reaction: number(c.reaction, row),
            system: shared(&mut self.system, &c.system, row),
            system_source: c.system_source.at(row).ok_or(bad)?,
            policy: shared(&mut self.policy, &c.policy, row),
            propensity: number(c.propensity, row),
            position: number(c.position, row).ok_or(bad)?,
        };
        Ok((head, number(c.seq, row).ok_or(bad)?, event))
    }

    /// Most parents are the row before.
    fn parent(&self, id: &str) -> Arc<str> {
        match &self.last_id {
            Some(last) if &**last == id => last.clone(),
            _ => Arc::from(id),
        }
    }
}

fn shared(cache: &mut Cache, keys: &Keys<'_>, row: usize) -> Option<Arc<str>> {
    cache.get(keys.at(row)?)
}
