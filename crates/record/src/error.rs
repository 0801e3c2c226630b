//! Why an import failed, in words that a person can act on.

use std::fmt;

use crate::{Format, Reason};

/// What is wrong with one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File, and member of an archive after `!`.
    pub file: String,
    /// Byte offset in the file or member, where there is one.
    pub offset: Option<u64>,
    /// What it looks like.
    pub guess: Option<Format>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(offset) = self.offset {
            write!(f, ", byte {offset}")?;
        }
        if let Some(guess) = self.guess {
            write!(f, " (looks like {})", guess.title())?;
        }
        write!(f, ": {}. {}", self.what, self.advice)
    }
}

/// Why an import failed. All of them are wrong or unreadable input: nothing was measured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// An input that cannot be read at all.
    #[error("{0}")]
    Input(Problem),
    /// Input was read, and not one message came out of it.
    #[error("{problem}{}", commonest(reasons))]
    NothingRead {
        /// The first problem met, or the last file looked at.
        problem: Problem,
        /// The three commonest reasons and how many units each skipped.
        reasons: Vec<(Reason, u64)>,
    },
    /// The export holds several accounts.
    #[error(
        "the input holds {} accounts: {}. A course belongs to one person: name the account to read",
        accounts.len(), accounts.join(", ")
    )]
    SeveralAccounts {
        /// Their ids, sorted.
        accounts: Vec<String>,
    },
    /// The account asked for is not in the export.
    #[error("no conversation belongs to account {wanted}. Accounts found: {}", found.join(", "))]
    NoSuchAccount {
        /// The account asked for.
        wanted: String,
        /// Those found, sorted.
        found: Vec<String>,
    },
    /// More than half of the units could not be read.
    #[error(
        "{:.0} % of the input could not be read{}. Check that the export is complete and of a current \
         format, or accept a partial import explicitly", share * 100.0, commonest(reasons)
    )]
    MostlyUnreadable {
        /// Share of units skipped for a bad reason, above 0.5.
        share: f64,
        /// The three commonest reasons and how many units each skipped.
        reasons: Vec<(Reason, u64)>,
    },
}

fn commonest(reasons: &[(Reason, u64)]) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    let list: Vec<String> = reasons
        .iter()
        .map(|(r, n)| format!("{} {n}", r.word()))
        .collect();
    format!(" (skipped: {})", list.join(", "))
}
