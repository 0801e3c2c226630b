//! Helpers of the integration tests.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part"
)]

use std::path::{Path, PathBuf};

use driftlead_record::{Conversation, Import, Options, ReadError, Reason, read};

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Reads, and checks that every account balances.
pub fn import(paths: &[PathBuf]) -> Result<(Import, Vec<Conversation>), ReadError> {
    import_with(
        paths,
        &Options {
            accept_partial: true,
            ..Options::default()
        },
    )
}

pub fn import_with(
    paths: &[PathBuf],
    options: &Options,
) -> Result<(Import, Vec<Conversation>), ReadError> {
    let mut rows = Vec::new();
    let import = read(paths, options, &mut rows)?;
    assert!(import.accounting.balances());
    assert!(import.files.iter().all(|f| f.accounting.balances()));
    Ok((import, rows))
}

/// Skipped units by word.
pub fn skipped(import: &Import) -> Vec<(&'static str, u64)> {
    import
        .accounting
        .units
        .skipped
        .iter()
        .map(|(r, n): (&Reason, &u64)| (r.word(), *n))
        .collect()
}
