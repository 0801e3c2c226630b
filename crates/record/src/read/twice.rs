//! Conversations that stand in an export twice: the later state is read, the other counted.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use super::pipeline::Run;
use crate::detect::Plan;
use crate::import::lenient::Text;
use crate::source::Item;
use crate::when::{Clock, Stamp};
use crate::{Format, Options};

/// A single file up to this size is looked through as well.
const SINGLE_FILE: u64 = 64 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Head<'a> {
    #[serde(borrow)]
    conversation_id: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    uuid: Text<'a>,
    update_time: Stamp,
    updated_at: Stamp,
}

impl Head<'_> {
    fn id(&self) -> Option<String> {
        let id = self
            .conversation_id
            .get()
            .or_else(|| self.uuid.get())
            .or_else(|| self.id.get());
        id.map(str::to_owned)
    }

    fn updated(&self) -> Option<i64> {
        let clock = Clock::utc(None);
        self.update_time
            .time(clock)
            .or_else(|| self.updated_at.time(clock))
            .map(|t| t.micros)
    }
}

/// (file, position) of every conversation that another one with the same id replaces. Reads the
/// exports once more, but only where an id can occur twice at bearable cost: in several files, or in
/// one small one. In one large file the first occurrence counts.
pub(super) fn superseded(
    files: &[(Item, Plan)],
    total: &Arc<AtomicU64>,
) -> FxHashSet<(usize, u64)> {
    let exports: Vec<usize> = (0..files.len()).filter(|&i| is_export(files, i)).collect();
    let size: u64 = exports
        .iter()
        .filter_map(|&i| files.get(i))
        .map(|(item, _)| item.size)
        .sum();
    let mut losers = FxHashSet::default();
    if exports.len() < 2 && size > SINGLE_FILE {
        return losers;
    }
    let mut best: FxHashMap<String, (Option<i64>, (usize, u64))> = FxHashMap::default();
    for index in exports {
        for (position, id, updated) in heads(files, index, total) {
            let here = (index, position);
            match best.get_mut(&id) {
                None => {
                    best.insert(id, (updated, here));
                }
                Some(known) if updated > known.0 => {
                    losers.insert(known.1);
                    *known = (updated, here);
                }
                Some(_) => {
                    losers.insert(here);
                }
            }
        }
    }
    losers
}

fn is_export(files: &[(Item, Plan)], i: usize) -> bool {
    matches!(
        files.get(i),
        Some((_, Plan::Values(_, Some(Format::ChatGpt | Format::Claude))))
    )
}

fn heads(
    files: &[(Item, Plan)],
    index: usize,
    total: &Arc<AtomicU64>,
) -> Vec<(u64, String, Option<i64>)> {
    let Some((item, Plan::Values(target, _))) = files.get(index) else {
        return Vec::new();
    };
    let options = Options::default();
    let run = Run {
        item,
        options: &options,
        total,
    };
    let mut found = Vec::new();
    // A cut file is reported by the run that reads it; here its complete part counts.
    run.batches(target, &mut |batch| {
        let heads: Vec<_> = batch
            .values
            .par_iter()
            .filter_map(|range| {
                let bytes = batch.bytes.get(range.clone())?;
                let head: Head<'_> = serde_json::from_slice(bytes).ok()?;
                Some((batch.base + range.start as u64, head.id()?, head.updated()))
            })
            .collect();
        found.extend(heads);
        true
    })
    .ok();
    found
}
