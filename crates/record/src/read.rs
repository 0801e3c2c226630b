//! The driver: from paths to conversations, in order, in bounded memory, with exact accounting.

mod pipeline;
mod report;
mod settle;
mod siblings;
mod twice;

pub use self::report::{FileReport, Import};

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use self::pipeline::{Failure, Run};
use self::settle::Settle;
use self::siblings::Siblings;
use crate::detect::{self, Plan, Unreadable};
use crate::error::{Problem, ReadError};
use crate::source::limit::exceeded;
use crate::source::{self, Item, problem};
use crate::{Format, Options, Reason, Sink};

/// Bytes looked at to recognise a format.
const HEAD: u64 = 256 << 10;

/// Version of the importers as one instrument. Two imports may be compared across it only when all
/// rows are identical.
pub const IMPORTER_VERSION: &str = "1";

/// Reads exports, folders and archives into `sink`, in the order of the source and in batches of a
/// few megabytes, whatever the number of threads.
///
/// # Errors
/// When nothing could be read, when more than half of the units are unreadable, or when the input
/// holds several accounts and `options` names none. What the sink has taken until then is void.
pub fn read(
    paths: &[PathBuf],
    options: &Options,
    sink: &mut dyn Sink,
) -> Result<Import, ReadError> {
    let found = source::find(paths).map_err(ReadError::Input)?;
    let total = Arc::new(AtomicU64::new(0));
    let files: Vec<(Item, Plan)> = found
        .items
        .into_iter()
        .map(|item| with_plan(item, &total))
        .collect();
    let files = without_needless_pages(files);
    let siblings = Siblings::read(&files, &total);
    let later = twice::superseded(&files, &total);
    let mut settle = Settle::new(options, &siblings, later, sink);
    let mut import = Import::new(found.skipped, found.refused);
    import.missing_shards = siblings.missing_shards(&files);
    let bytes = files.iter().map(|(item, _)| item.size).sum();
    let mut done = 0;
    for (index, (item, plan)) in files.iter().enumerate() {
        settle.begin(index, item.root, done, bytes);
        let run = Run {
            item,
            options,
            total: &total,
        };
        let result = run.run(plan, &mut settle);
        import.add(file_report(item, plan, result, &mut settle));
        done += item.size;
    }
    import.finish(settle.finish(), options)
}

fn with_plan(item: Item, total: &Arc<AtomicU64>) -> (Item, Plan) {
    let plan = if siblings::is_known(&item.file_name()) {
        Plan::Sibling
    } else {
        match source::head(&item, HEAD, total) {
            Ok(head) => detect::plan(&head),
            Err(error) => {
                let limit = exceeded(&error);
                let what =
                    limit.map_or_else(|| format!("reading failed ({error})"), |l| l.to_string());
                Plan::No(Unreadable::Failed {
                    what,
                    is_limit: limit.is_some(),
                })
            }
        }
    };
    (item, plan)
}

/// A page repeats the export beside it.
fn without_needless_pages(mut files: Vec<(Item, Plan)>) -> Vec<(Item, Plan)> {
    let is_export = |plan: &Plan| matches!(plan, Plan::Values(_, Some(_)));
    let roots: Vec<usize> = files
        .iter()
        .filter(|(_, p)| is_export(p))
        .map(|(i, _)| i.root)
        .collect();
    for (item, plan) in &mut files {
        if *plan == Plan::Page && roots.contains(&item.root) {
            *plan = Plan::Sibling;
        }
    }
    files
}

/// Closes the books of one file.
fn file_report(
    item: &Item,
    plan: &Plan,
    result: Result<(), Failure>,
    settle: &mut Settle<'_>,
) -> FileReport {
    let (format, mut accounting) = settle.end();
    let failure = result.err();
    let has_values = accounting.containers.seen > 0;
    match member_reason(plan, failure.as_ref(), has_values) {
        None => accounting.members.parse(),
        Some(reason) => accounting.members.skip(reason),
    }
    let guess = format.or_else(|| plan.format());
    let problem = match (failure, plan) {
        (Some(failure), _) => Some(failure.problem),
        (None, Plan::No(why)) => Some(explain(item, why)),
        (None, Plan::Values(..) | Plan::Page | Plan::Whole(_)) if !has_values => {
            let keys = settle.take_unknown_keys();
            Some(explain(item, &Unreadable::UnknownKeys(keys)))
        }
        _ => None,
    };
    FileReport {
        name: item.name.to_string(),
        format,
        accounting,
        problem: problem.map(|p| Problem { guess, ..p }),
        is_named: item.is_named,
    }
}

/// Why a file gave nothing, `None` if it gave something.
fn member_reason(plan: &Plan, failure: Option<&Failure>, has_values: bool) -> Option<Reason> {
    match (failure, plan) {
        (Some(failure), _) if failure.is_limit => Some(Reason::OverLimit),
        (None, Plan::No(Unreadable::Failed { is_limit: true, .. })) => Some(Reason::OverLimit),
        _ if has_values => None,
        (Some(_), _) | (None, Plan::No(Unreadable::Failed { .. })) => Some(Reason::MalformedJson),
        (None, Plan::No(Unreadable::Encoding(_))) => Some(Reason::NotUtf8),
        (None, _) => Some(Reason::NotAMessage),
    }
}

fn explain(item: &Item, why: &Unreadable) -> Problem {
    let (what, advice) = match why {
        Unreadable::Empty => ("the file is empty".to_owned(), "Download the export again"),
        Unreadable::EmptyHistory => (
            "the export holds no conversations".to_owned(),
            "Check that the account has a history, and ask for the export again",
        ),
        Unreadable::Encoding(name) => (
            format!("the file is {name}, not UTF-8"),
            "Save it as UTF-8, or use the file as it was downloaded",
        ),
        Unreadable::UnknownKeys(keys) if keys.is_empty() => (
            "the JSON is of no format that can be read".to_owned(),
            "Name the export as it was downloaded",
        ),
        Unreadable::UnknownKeys(keys) => (
            format!(
                "the JSON is of no format that can be read; its keys are {}",
                keys.join(", ")
            ),
            "If this is a newer export, this version does not know it yet",
        ),
        Unreadable::Failed { what, .. } => (what.clone(), "Download or copy the export again"),
        Unreadable::NotText | Unreadable::Unknown => (
            "the content is of no format that can be read".to_owned(),
            "Name the export as it was downloaded: a .zip, a folder, .json or .jsonl",
        ),
    };
    problem(&item.name, &what, advice)
}

/// Formats whose files belong to one person. Logs and records may hold many.
fn is_personal(format: Format) -> bool {
    !matches!(
        format,
        Format::RequestLog | Format::Otel | Format::Driftlead
    )
}
