//! What an import says about itself.

use serde::Serialize;

use super::IMPORTER_VERSION;
use super::settle::Settled;
use crate::error::{Problem, ReadError};
use crate::{Accounting, Format, Level, Options, Reason};

/// Share of unreadable units above which a warning is shown.
const WARN_ABOVE: f64 = 0.05;
/// Share of unreadable units above which the import is refused.
const REFUSE_ABOVE: f64 = 0.5;

/// One file, or one member of an archive.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// Path, and member after `!`.
    pub name: String,
    /// Format it was read as; `None` for files without conversations.
    pub format: Option<Format>,
    /// What was in it.
    pub accounting: Accounting,
    /// Why it could not be read, or not to its end.
    #[serde(serialize_with = "as_text")]
    pub problem: Option<Problem>,
    /// The caller named this very file, not a folder or archive around it.
    #[serde(skip)]
    pub(super) is_named: bool,
}

impl FileReport {
    /// Whether a problem must be told although other files were read. Folders and archives hold
    /// much that is no conversation.
    fn must_be_told(&self) -> bool {
        let looks_like_export = self.problem.as_ref().is_some_and(|p| p.guess.is_some());
        self.is_named || looks_like_export || self.accounting.members.bad_share() > 0.0
    }
}

fn as_text<S: serde::Serializer>(problem: &Option<Problem>, s: S) -> Result<S::Ok, S::Error> {
    match problem {
        Some(problem) => s.collect_str(problem),
        None => s.serialize_none(),
    }
}

/// The account of one import.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Import {
    /// Version of the importers.
    pub importer: String,
    /// Files in the order they were read. Files without conversations are only counted.
    pub files: Vec<FileReport>,
    /// All files together.
    pub accounting: Accounting,
    /// What the reader of a report must know, in words.
    pub warnings: Vec<String>,
    /// Accounts seen, sorted.
    pub accounts: Vec<String>,
    /// Conversations delivered.
    pub conversations: u64,
    /// Rows delivered.
    pub events: u64,
    /// Earliest and latest trustworthy time, microseconds since 1970-01-01T00:00Z.
    pub first_micros: Option<i64>,
    /// See `first_micros`.
    pub last_micros: Option<i64>,
    /// Files that the export's manifest lists and that are not there.
    pub missing_shards: Vec<String>,
}

impl Import {
    pub(super) fn new(skipped: Level, refused: Vec<Problem>) -> Self {
        Import {
            importer: IMPORTER_VERSION.to_owned(),
            accounting: Accounting {
                members: skipped,
                ..Accounting::default()
            },
            warnings: refused.iter().map(ToString::to_string).collect(),
            ..Import::default()
        }
    }

    pub(super) fn add(&mut self, file: FileReport) {
        self.accounting.merge(&file.accounting);
        if file.format.is_some() || file.problem.is_some() {
            self.files.push(file);
        }
    }

    pub(super) fn finish(mut self, settled: Settled, options: &Options) -> Result<Self, ReadError> {
        if settled.has_several_accounts {
            return Err(ReadError::SeveralAccounts {
                accounts: settled.accounts,
            });
        }
        let others = self
            .accounting
            .containers
            .skipped
            .get(&Reason::OtherAccount)
            .copied();
        if let (0, Some(1..), Some(wanted)) = (settled.conversations, others, &options.account) {
            let (wanted, found) = (wanted.clone(), settled.accounts);
            return Err(ReadError::NoSuchAccount { wanted, found });
        }
        if settled.conversations == 0 {
            return Err(self.nothing());
        }
        let share = self.bad_share();
        if share > REFUSE_ABOVE && !options.accept_partial {
            return Err(ReadError::MostlyUnreadable {
                share,
                reasons: self.reasons(),
            });
        }
        self.conversations = settled.conversations;
        self.events = settled.events;
        self.accounts = settled.accounts;
        (self.first_micros, self.last_micros) = (settled.first, settled.last);
        self.warn(share);
        self.warnings.extend(settled.warnings);
        Ok(self)
    }

    fn warn(&mut self, share: f64) {
        if share > WARN_ABOVE {
            let list: Vec<String> = self
                .reasons()
                .iter()
                .map(|(r, n)| format!("{} {n}", r.word()))
                .collect();
            let share = share * 100.0;
            self.warnings.push(format!(
                "{share:.0} % of the input could not be read ({})",
                list.join(", ")
            ));
        }
        for file in self.files.iter().filter(|f| f.must_be_told()) {
            self.warnings
                .extend(file.problem.iter().map(ToString::to_string));
        }
        if !self.missing_shards.is_empty() {
            let list = self.missing_shards.join(", ");
            self.warnings.push(format!(
                "the export's manifest lists files that are missing: {list}"
            ));
        }
    }

    /// Share of unreadable units. Conversations count too: a broken one hides its units.
    fn bad_share(&self) -> f64 {
        self.accounting
            .units
            .bad_share()
            .max(self.accounting.containers.bad_share())
    }

    /// The three commonest reasons over units and conversations, unreadable input first.
    fn reasons(&self) -> Vec<(Reason, u64)> {
        let mut all = self.accounting.units.clone();
        all.merge(&self.accounting.containers);
        let mut reasons: Vec<_> = all.skipped.into_iter().collect();
        reasons.sort_by_key(|&(reason, n)| (!reason.is_bad(), std::cmp::Reverse(n), reason));
        reasons.truncate(3);
        reasons
    }

    fn nothing(self) -> ReadError {
        let reasons = self.reasons();
        let problems = || self.files.iter().filter_map(|f| f.problem.as_ref());
        let first = problems()
            .find(|p| p.guess.is_some())
            .or_else(|| problems().next());
        let problem = match first.cloned() {
            Some(problem) => problem,
            None => self.without_problem(),
        };
        ReadError::NothingRead { problem, reasons }
    }

    fn without_problem(&self) -> Problem {
        let file = self.files.first();
        Problem {
            file: file.map_or_else(|| "the input".to_owned(), |f| f.name.clone()),
            offset: None,
            guess: file.and_then(|f| f.format),
            what: match self.warnings.first() {
                Some(refused) => format!("nothing could be read ({refused})"),
                None => "it holds no messages".to_owned(),
            },
            advice: "Name the export as it was downloaded: a .zip, a folder, .json or .jsonl"
                .to_owned(),
        }
    }
}
