//! Counts for the operator: how often something was done, over everybody, never by whom.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Tally {
    entries: AtomicU64,
    log_failures: AtomicU64,
    store_failures: AtomicU64,
    governed: AtomicU64,
    ungoverned: AtomicU64,
    commands: AtomicU64,
    left_out: AtomicU64,
}

impl Tally {
    pub(super) fn entries(&self, count: u64) {
        self.entries.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn log_failure(&self) {
        self.log_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn store_failure(&self) {
        self.store_failures.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that something was done to.
    pub(super) fn governed(&self) {
        self.governed.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that passed although something should have been done to it.
    pub(super) fn ungoverned(&self) {
        self.ungoverned.fetch_add(1, Ordering::Relaxed);
    }

    /// Lines left out of a reply.
    pub(super) fn left_out(&self, lines: u32) {
        self.left_out.fetch_add(lines.into(), Ordering::Relaxed);
    }

    pub(super) fn command(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
    }

    /// Lines in the OpenMetrics text format.
    pub(super) fn text(&self) -> String {
        let lines = [
            ("log_entries", "Entries of the audit log", &self.entries),
            (
                "log_failures",
                "Entries that could not be written",
                &self.log_failures,
            ),
            (
                "store_failures",
                "Writes of the store or the record that failed",
                &self.store_failures,
            ),
            (
                "governed_requests",
                "Requests that a policy or a person changed",
                &self.governed,
            ),
            (
                "ungoverned_requests",
                "Requests that passed although a policy should have changed them",
                &self.ungoverned,
            ),
            ("commands", "Commands answered", &self.commands),
            (
                "lines_left_out",
                "Lines against leaving that were left out of replies",
                &self.left_out,
            ),
        ];
        lines
            .into_iter()
            .map(|(name, help, count)| {
                let name = format!("driftlead_gate_{name}");
                let count = count.load(Ordering::Relaxed);
                format!("# HELP {name} {help}.\n# TYPE {name} counter\n{name}_total {count}\n")
            })
            .collect()
    }
}
