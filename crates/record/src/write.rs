//! Writes the record, as Parquet or as JSON Lines.

mod columns;
mod json;

use std::io::Write;
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::{Conversation, Sink, schema};
use columns::Columns;

/// Most rows in a row group. Bounds what a reader has to hold.
const GROUP_ROWS: usize = 1 << 17;
/// Most encoded bytes in a row group. Bounds what the writer has to hold.
const GROUP_BYTES: usize = 32 << 20;

/// Why a record could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file or stream refused the bytes.
    #[error("the record could not be written: {0}")]
    Io(#[from] std::io::Error),
    /// Parquet refused the rows.
    #[error("the record could not be written as Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Columns and schema disagree.
    #[error("the record's columns do not fit together: {0}")]
    Columns(#[from] arrow_schema::ArrowError),
    /// A row could not become JSON.
    #[error("a row could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A conversation has more rows than `seq` can count, or one text is above 1 GiB.
    #[error("a conversation of {source_file} is too large to be written")]
    TooLarge {
        /// The file it was read from.
        source_file: Arc<str>,
    },
}

/// Writes conversations row by row, holding one row group at most.
///
/// As a [`Sink`] it cannot return errors; the first one is kept and returned by [`Writer::finish`].
/// Conversations without events leave no row.
pub struct Writer<W: Write + Send> {
    out: Out<W>,
    rows: u64,
    failed: Option<WriteError>,
}

enum Out<W: Write + Send> {
    Parquet(Box<ArrowWriter<W>>, Box<Columns>),
    Json(json::Lines<W>),
}

impl<W: Write + Send> Writer<W> {
    /// Starts a Parquet file (zstd, dictionary-encoded words). `text`: whether words are kept.
    ///
    /// # Errors
    /// When the file cannot be started.
    pub fn parquet(out: W, text: bool) -> Result<Self, WriteError> {
        let writer = ArrowWriter::try_new(out, Arc::new(schema::arrow()), Some(properties(text)))?;
        Ok(Self::of(Out::Parquet(
            Box::new(writer),
            Box::new(Columns::new(text)),
        )))
    }

    /// Starts a JSON Lines file: a header line with the schema version, then one row per line.
    /// `text`: whether words are kept.
    ///
    /// # Errors
    /// When the header cannot be written.
    pub fn json_lines(out: W, text: bool) -> Result<Self, WriteError> {
        Ok(Self::of(Out::Json(json::Lines::start(out, text)?)))
    }

    fn of(out: Out<W>) -> Self {
        Writer {
            out,
            rows: 0,
            failed: None,
        }
    }

    /// Writes some conversations.
    ///
    /// # Errors
    /// When the output refuses them. The file is not usable afterwards.
    pub fn write(&mut self, batch: &[Conversation]) -> Result<(), WriteError> {
        for conversation in batch {
            match &mut self.out {
                Out::Parquet(writer, columns) => columns.write(conversation, writer)?,
                Out::Json(lines) => lines.write(conversation)?,
            }
            self.rows += conversation.events.len() as u64;
        }
        Ok(())
    }

    /// Ends the file and returns the number of rows in it.
    ///
    /// # Errors
    /// The first error met, if any.
    pub fn finish(self) -> Result<u64, WriteError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.out {
            Out::Parquet(mut writer, mut columns) => {
                columns.flush(&mut writer)?;
                writer.close()?;
            }
            Out::Json(lines) => lines.finish()?,
        }
        Ok(self.rows)
    }
}

impl<W: Write + Send> Sink for Writer<W> {
    fn take(&mut self, batch: Vec<Conversation>) {
        if self.failed.is_none() {
            self.failed = self.write(&batch).err();
        }
    }
}

/// Statistics help readers to skip row groups by time; of other columns they would only repeat
/// contents in the footer.
fn properties(text: bool) -> WriterProperties {
    let unique = ["text", "id", "parent"];
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("driftlead ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![
            KeyValue::new(schema::VERSION_KEY.to_owned(), schema::VERSION.to_string()),
            KeyValue::new(schema::TEXT_KEY.to_owned(), text.to_string()),
        ]))
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("time"), EnabledStatistics::Chunk);
    for name in unique {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    builder.build()
}
