//! Reads one file: one thread finds the values, all threads parse them, the caller's thread takes
//! the results in order.

use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::sync_channel;

use rayon::prelude::*;

use super::settle::Settle;
use crate::detect::{Plan, outline, unit_format};
use crate::error::Problem;
use crate::import::{self, Parsed, Unit, UnitError};
use crate::source::limit::exceeded;
use crate::source::split::{Batch, ELEMENT_BYTES, SplitError, Target, split};
use crate::source::{self, Item, page, problem};
use crate::{Format, Options, Reason};

/// Most bytes of a Parquet file inside an archive; a larger one is read once it is unpacked.
const MEMBER_BYTES: u64 = 256 << 20;
/// Batches that may wait between the threads.
const WAITING: usize = 2;

/// Why a file could not be read to its end.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) problem: Problem,
    pub(super) is_limit: bool,
}

/// One file and what it is read with.
pub(super) struct Run<'a> {
    pub(super) item: &'a Item,
    pub(super) options: &'a Options,
    pub(super) total: &'a Arc<AtomicU64>,
}

/// What one value became.
pub(super) struct Outcome {
    pub(super) position: u64,
    pub(super) format: Option<Format>,
    pub(super) result: Result<Parsed, UnitError>,
    /// Top-level keys of a value that no importer knows.
    pub(super) keys: Vec<String>,
}

impl Run<'_> {
    pub(super) fn run(&self, plan: &Plan, settle: &mut Settle<'_>) -> Result<(), Failure> {
        match plan {
            Plan::Values(target, format) => {
                self.values(*format, settle, |take| self.batches(target, take))
            }
            Plan::Page => self.values(Some(Format::ChatGpt), settle, |take| self.page(take)),
            Plan::Whole(format) => self.whole(*format, settle),
            Plan::Stream(format) => self.stream(*format, settle),
            Plan::Table => self.table(settle),
            Plan::Sibling | Plan::No(_) => Ok(()),
        }
    }

    fn values(
        &self,
        hint: Option<Format>,
        settle: &mut Settle<'_>,
        batches: impl FnOnce(&mut dyn FnMut(Batch) -> bool) -> Result<(), SplitError>,
    ) -> Result<(), Failure> {
        let mut hint = hint;
        let result = batches(&mut |batch| {
            let outcomes = self.parse(&batch, hint);
            hint = hint.or_else(|| outcomes.iter().find_map(|o| o.format));
            settle.take_outcomes(outcomes, batch.over_limit, batch.base);
            true
        });
        match result {
            Ok(()) | Err(SplitError::Stopped) => Ok(()),
            Err(error) => {
                let failure = self.failure(error);
                if !failure.is_limit {
                    settle.skip_container(Reason::MalformedJson);
                }
                Err(failure)
            }
        }
    }

    /// Values found by a thread of their own.
    pub(super) fn batches(
        &self,
        target: &Target,
        take: &mut dyn FnMut(Batch) -> bool,
    ) -> Result<(), SplitError> {
        let open = || source::open(self.item, self.total).map_err(|e| io_error(0, e));
        ahead(|send| split(&mut *open()?, target, true, send), take)
    }

    fn page(&self, take: &mut dyn FnMut(Batch) -> bool) -> Result<(), SplitError> {
        let found = source::open(self.item, self.total).and_then(page::embedded);
        let Some((mut json, _)) = found.map_err(|e| io_error(0, e))? else {
            return Ok(());
        };
        ahead(|send| split(&mut *json, &Target::Array, false, send), take)
    }

    fn parse(&self, batch: &Batch, hint: Option<Format>) -> Vec<Outcome> {
        batch
            .values
            .par_iter()
            .map(|range| {
                let bytes = batch.bytes.get(range.clone()).unwrap_or_default();
                self.value(bytes, batch.base + range.start as u64, hint)
            })
            .collect()
    }

    fn value(&self, bytes: &[u8], position: u64, hint: Option<Format>) -> Outcome {
        let unit = Unit {
            bytes,
            position,
            source: &self.item.name,
            options: self.options,
        };
        let first = hint.map(|format| (format, import::parse(format, &unit)));
        match first {
            Some((format, result)) if !matches!(result, Err(UnitError::Structure(_))) => Outcome {
                position,
                format: Some(format),
                result,
                keys: Vec::new(),
            },
            first => {
                let shape = outline(bytes.trim_ascii_start());
                match unit_format(&shape, "").filter(|f| Some(*f) != hint) {
                    Some(format) => {
                        let result = import::parse(format, &unit);
                        Outcome {
                            position,
                            format: Some(format),
                            result,
                            keys: Vec::new(),
                        }
                    }
                    None => Outcome {
                        position,
                        format: None,
                        result: first.map_or_else(
                            || Err(UnitError::Structure("an unknown shape".to_owned())),
                            |(_, result)| result,
                        ),
                        keys: shape.top_keys(),
                    },
                }
            }
        }
    }

    fn whole(&self, format: Format, settle: &mut Settle<'_>) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        source::open(self.item, self.total)
            .and_then(|r| r.take(ELEMENT_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|e| self.failure(io_error(0, e)))?;
        if bytes.len() as u64 > ELEMENT_BYTES {
            settle.skip_container(Reason::OverLimit);
            return Ok(());
        }
        let outcome = self.value(&bytes, 0, Some(format));
        settle.take_outcomes(vec![outcome], 0, bytes.len() as u64);
        Ok(())
    }

    fn stream(&self, format: Format, settle: &mut Settle<'_>) -> Result<(), Failure> {
        let opened =
            source::open(self.item, self.total).map_err(|e| self.failure(io_error(0, e)))?;
        let mut reader = BufReader::with_capacity(1 << 18, opened);
        let mut deliver = |parsed| settle.take_parsed(format, parsed);
        import::read_stream(
            format,
            &mut reader,
            &self.item.name,
            self.options,
            &mut deliver,
        )
        .map_err(|e| self.unit_failure(&e))
    }

    fn table(&self, settle: &mut Settle<'_>) -> Result<(), Failure> {
        let mut deliver = |parsed| settle.take_parsed(Format::Driftlead, parsed);
        let name = &self.item.name;
        let result = match &self.item.member {
            None => match std::fs::File::open(&self.item.path) {
                Ok(file) => import::driftlead::read_parquet(file, name, self.options, &mut deliver),
                Err(e) => return Err(self.failure(io_error(0, e))),
            },
            // The table's directory stands at its end, so the member is unpacked first: into
            // memory, because no text of a person is written to a disk.
            Some(_) => {
                let mut bytes = Vec::new();
                source::open(self.item, self.total)
                    .and_then(|r| r.take(MEMBER_BYTES + 1).read_to_end(&mut bytes))
                    .map_err(|e| self.failure(io_error(0, e)))?;
                if bytes.len() as u64 > MEMBER_BYTES {
                    settle.skip_container(Reason::OverLimit);
                    return Ok(());
                }
                let bytes = bytes::Bytes::from(bytes);
                import::driftlead::read_parquet(bytes, name, self.options, &mut deliver)
            }
        };
        result.map_err(|e| self.unit_failure(&e))
    }

    fn failure(&self, error: SplitError) -> Failure {
        let name = &self.item.name;
        let again = "Download or copy the export again";
        let (offset, what, is_limit) = match error {
            SplitError::Truncated { offset, began } => {
                let what = format!("the JSON ends inside a value that began at byte {began}");
                (offset, format!("{what}: the file is cut short"), false)
            }
            SplitError::Malformed { offset } => (
                offset,
                "the JSON has a bracket or value that does not belong here".to_owned(),
                false,
            ),
            SplitError::Io { offset, source } => match exceeded(&source) {
                Some(limit) => (offset, limit.to_string(), true),
                None => (offset, format!("reading stopped ({source})"), false),
            },
            SplitError::Stopped => (0, "reading was stopped".to_owned(), false),
        };
        Failure {
            problem: Problem {
                offset: Some(offset),
                ..problem(name, &what, again)
            },
            is_limit,
        }
    }

    fn unit_failure(&self, error: &UnitError) -> Failure {
        let offset = match error {
            UnitError::Json { offset, .. } | UnitError::NotUtf8 { offset } => Some(*offset),
            UnitError::Structure(_) => None,
        };
        let advice = "Check that the file is complete";
        let problem = Problem {
            offset,
            ..problem(&self.item.name, &error.to_string(), advice)
        };
        Failure {
            problem,
            is_limit: false,
        }
    }
}

fn io_error(offset: u64, source: std::io::Error) -> SplitError {
    SplitError::Io { offset, source }
}

/// Runs `produce` on a thread of its own and `take` on this one.
fn ahead(
    produce: impl FnOnce(&mut dyn FnMut(Batch) -> bool) -> Result<(), SplitError> + Send,
    take: &mut dyn FnMut(Batch) -> bool,
) -> Result<(), SplitError> {
    let (sender, receiver) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let producer = scope.spawn(move || produce(&mut |batch| sender.send(batch).is_ok()));
        for batch in receiver {
            if !take(batch) {
                break;
            }
        }
        producer.join().unwrap_or(Err(SplitError::Stopped))
    })
}
