//! Word lists: data files with the phrases that text metrics look for.
//!
//! A list is `lists/LANGUAGE/NAME.toml`: `language`, `version`, then `[[entry]]` tables with
//! - `phrase`: lower-case words separated by single spaces. `word*` matches every word that starts so,
//!   `_` any single word. A comma in a phrase allows, but does not ask for, a comma at that place in the
//!   text; elsewhere only spaces, hyphens, quotation marks and emphasis marks may lie between its words.
//!   A phrase never reaches across a line, code, a link or a bracket. `{a|b c|}` stands for any one of
//!   its alternatives, here also for nothing; `{name}` for any member of the set `name` that the file
//!   gives in its `[sets]` table. A phrase stands for at most 4,096 sequences of words;
//! - `class`: the cue class the hit is counted under;
//! - `yes`, `no`: a sentence that must match this entry, and a near miss that must not;
//! - optional `not_before`, `not_after`: words or phrases of words that cancel the hit when they stand
//!   directly before or after it, written with slots or without; `start`, `end`: only as the first or last words of a line;
//!
//! and `[[exclude]]` tables with `phrase` and `yes`: a longer phrase that cancels hits of its list
//! lying inside it. Of overlapping hits of one class in one message the first, then longest, counts.

mod phrase;
mod trie;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use self::phrase::{Part, Phrase, Rule, Sequence, Sets, Target, parse, parse_plain};
use self::trie::Trie;
use crate::series::Side;
use crate::text::Tokens;

/// Name and bytes of every English list.
const ENGLISH: &[(&str, &str)] = &[
    ("acknowledge", include_str!("../lists/en/acknowledge.toml")),
    ("alone", include_str!("../lists/en/alone.toml")),
    ("choose_ask", include_str!("../lists/en/choose_ask.toml")),
    ("complaint", include_str!("../lists/en/complaint.toml")),
    ("contrast", include_str!("../lists/en/contrast.toml")),
    ("distress", include_str!("../lists/en/distress.toml")),
    ("easing", include_str!("../lists/en/easing.toml")),
    ("friend", include_str!("../lists/en/friend.toml")),
    ("friend_like", include_str!("../lists/en/friend_like.toml")),
    ("goodbye", include_str!("../lists/en/goodbye.toml")),
    (
        "hold_position",
        include_str!("../lists/en/hold_position.toml"),
    ),
    (
        "interrogative_start",
        include_str!("../lists/en/interrogative_start.toml"),
    ),
    ("kin", include_str!("../lists/en/kin.toml")),
    ("missed", include_str!("../lists/en/missed.toml")),
    ("new_grounds", include_str!("../lists/en/new_grounds.toml")),
    ("objection", include_str!("../lists/en/objection.toml")),
    (
        "objection_opener",
        include_str!("../lists/en/objection_opener.toml"),
    ),
    (
        "personal_matter",
        include_str!("../lists/en/personal_matter.toml"),
    ),
    (
        "praise_agree",
        include_str!("../lists/en/praise_agree.toml"),
    ),
    (
        "rather_than_people",
        include_str!("../lists/en/rather_than_people.toml"),
    ),
    (
        "roleplay_mark",
        include_str!("../lists/en/roleplay_mark.toml"),
    ),
    ("script_ask", include_str!("../lists/en/script_ask.toml")),
    ("small_words", include_str!("../lists/en/small_words.toml")),
    (
        "stay_tactics",
        include_str!("../lists/en/stay_tactics.toml"),
    ),
    ("take_back", include_str!("../lists/en/take_back.toml")),
    (
        "technical_matter",
        include_str!("../lists/en/technical_matter.toml"),
    ),
    ("valence_neg", include_str!("../lists/en/valence_neg.toml")),
    ("valence_pos", include_str!("../lists/en/valence_pos.toml")),
];

/// Lists read in messages of the system; all others are read in messages of the person.
const OF_SYSTEM: &[&str] = &[
    "acknowledge",
    "contrast",
    "friend_like",
    "hold_position",
    "interrogative_start",
    "praise_agree",
    "stay_tactics",
    "take_back",
];

/// Whose messages a list is read in.
pub(crate) fn side_of(list: &str) -> Side {
    if OF_SYSTEM.contains(&list) {
        Side::System
    } else {
        Side::Person
    }
}

/// Why a list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Not TOML of the right shape.
    #[error("list {list}: {message}")]
    Shape {
        /// Name of the list.
        list: String,
        /// What the TOML reader says.
        message: String,
    },
    /// A phrase that can match nothing, or everything.
    #[error("list {list}: the phrase {phrase:?} {fault}")]
    Phrase {
        /// Name of the list.
        list: String,
        /// The phrase.
        phrase: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

/// One entry as written. The examples are there for the tests.
#[cfg_attr(not(test), allow(dead_code, reason = "examples are read by tests"))]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) phrase: String,
    pub(crate) class: String,
    pub(crate) yes: String,
    pub(crate) no: String,
    #[serde(default)]
    not_before: Vec<String>,
    #[serde(default)]
    not_after: Vec<String>,
    #[serde(default)]
    start: bool,
    #[serde(default)]
    end: bool,
}

/// One exclusion as written.
#[cfg_attr(not(test), allow(dead_code, reason = "examples are read by tests"))]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exclude {
    pub(crate) phrase: String,
    pub(crate) yes: String,
}

/// One list as written.
#[cfg_attr(
    not(test),
    allow(dead_code, reason = "language and version are read by tests")
)]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    language: String,
    version: u32,
    /// Alternatives that phrases use by name.
    #[serde(default)]
    sets: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) entry: Vec<Entry>,
    #[serde(default)]
    pub(crate) exclude: Vec<Exclude>,
}

/// Index of a cue class: one (list, class) pair.
pub(crate) type ClassId = u16;

/// A counted hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    /// What it counts for.
    pub(crate) class: ClassId,
    /// Index of its first word.
    pub(crate) first: u32,
    /// Index behind its last word.
    pub(crate) end: u32,
    /// Line it lies in.
    pub(crate) line: u32,
}

/// All lists, with one automaton over words per side.
#[derive(Debug)]
pub(crate) struct Lexicon {
    /// The lists as written: their examples.
    #[cfg(test)]
    lists: BTreeMap<&'static str, List>,
    classes: Vec<(&'static str, String)>,
    /// One per entry and per exclusion, in the order of the lists.
    rules: Vec<Rule>,
    /// The sequences of words that the entries and exclusions stand for.
    phrases: Vec<Phrase>,
    person: Trie,
    system: Trie,
}

/// The shipped lists, loaded once, and what is wrong with them. They are part of the program, so the
/// tests prove that nothing is; [`check_lists`] still lets the program refuse to count with none.
static SHIPPED: LazyLock<(Lexicon, Result<(), ListError>)> =
    LazyLock::new(|| match Lexicon::load(ENGLISH) {
        Ok(lexicon) => (lexicon, Ok(())),
        Err(error) => (Lexicon::empty(), Err(error)),
    });

/// The shipped lists; empty if one of them cannot be used.
pub(crate) static LEXICON: LazyLock<&'static Lexicon> = LazyLock::new(|| &SHIPPED.0);

/// Bytes of a shipped list, for the instrument hash.
pub(crate) fn bytes_of(list: &str) -> &'static [u8] {
    ENGLISH
        .iter()
        .find(|(name, _)| *name == list)
        .map_or(&[], |(_, text)| text.as_bytes())
}

/// Whether the shipped lists can be used. Loads them if nothing has yet, and never twice, so asking
/// before the first message costs nothing.
///
/// # Errors
/// The first list that does not parse, or whose phrases cannot match.
pub fn check_lists() -> Result<(), ListError> {
    SHIPPED.1.clone()
}

impl Lexicon {
    fn empty() -> Self {
        Lexicon {
            #[cfg(test)]
            lists: BTreeMap::new(),
            classes: Vec::new(),
            rules: Vec::new(),
            phrases: Vec::new(),
            person: Trie::default(),
            system: Trie::default(),
        }
    }

    fn load(sources: &[(&'static str, &str)]) -> Result<Self, ListError> {
        let mut lexicon = Lexicon::empty();
        for &(name, text) in sources {
            let list: List = toml::from_str(text).map_err(|e| ListError::Shape {
                list: name.to_owned(),
                message: e.message().to_owned(),
            })?;
            lexicon.add(name, &list)?;
            #[cfg(test)]
            lexicon.lists.insert(name, list);
        }
        lexicon.person.shrink();
        lexicon.system.shrink();
        lexicon.phrases.shrink_to_fit();
        Ok(lexicon)
    }

    fn add(&mut self, name: &'static str, list: &List) -> Result<(), ListError> {
        let first = self.classes.len();
        let mut classes: Vec<&String> = list.entry.iter().map(|e| &e.class).collect();
        classes.sort_unstable();
        classes.dedup();
        self.classes
            .extend(classes.into_iter().map(|c| (name, c.clone())));
        let end = self.classes.len() as ClassId;
        let sets = Sets::new(name, &list.sets)?;
        let side = side_of(name);
        for entry in &list.entry {
            let class = self.class(name, &entry.class).unwrap_or(end);
            let rule = Rule {
                not_before: parse_plain(name, &entry.not_before, &sets)?,
                not_after: parse_plain(name, &entry.not_after, &sets)?,
                start: entry.start,
                end: entry.end,
                target: Target::Class(class),
            };
            self.push(side, rule, parse(name, &entry.phrase, &sets)?);
        }
        let cancel = Target::Cancel {
            first: first as ClassId,
            end,
        };
        for exclude in &list.exclude {
            let sequences = parse(name, &exclude.phrase, &sets)?;
            self.push(side, Rule::always(cancel), sequences);
        }
        Ok(())
    }

    /// Adds a rule and the sequences of words it stands for.
    fn push(&mut self, side: Side, rule: Rule, sequences: Vec<Sequence>) {
        let index = self.rules.len() as u32;
        self.rules.push(rule);
        let trie = match side {
            Side::Person => &mut self.person,
            Side::System => &mut self.system,
        };
        for parts in sequences {
            // The reader of phrases has refused longer ones.
            let Some(phrase) = Phrase::new(&parts, index) else {
                continue;
            };
            let number = self.phrases.len() as u32;
            trie.insert(parts.iter().map(|(part, _)| part), number);
            self.phrases.push(phrase);
        }
    }

    /// Index of a class; `None` if no such list or class exists.
    pub(crate) fn class(&self, list: &str, class: &str) -> Option<ClassId> {
        let at = self
            .classes
            .iter()
            .position(|(l, c)| *l == list && c == class)?;
        ClassId::try_from(at).ok()
    }

    /// Indexes of all classes of a list.
    pub(crate) fn classes_of(&self, list: &str) -> Range<ClassId> {
        let mut at = self
            .classes
            .iter()
            .enumerate()
            .filter(|(_, (l, _))| *l == list);
        let Some((first, _)) = at.next() else {
            return 0..0;
        };
        let last = at.next_back().map_or(first, |(i, _)| i);
        first as ClassId..last as ClassId + 1
    }

    /// Number of classes over all lists.
    pub(crate) fn class_count(&self) -> usize {
        self.classes.len()
    }

    /// Finds the hits that count, in order of class and place.
    pub(crate) fn find(
        &self,
        side: Side,
        tokens: &Tokens,
        hits: &mut Vec<Hit>,
        cancels: &mut Vec<Cancel>,
    ) {
        hits.clear();
        cancels.clear();
        let trie = match side {
            Side::Person => &self.person,
            Side::System => &self.system,
        };
        trie.walk(tokens, |index, first| {
            let Some(phrase) = self.phrases.get(index as usize) else {
                return;
            };
            let Some(rule) = self.rules.get(phrase.rule as usize) else {
                return;
            };
            let Some((first, end, line)) = phrase.matches(rule, tokens, first) else {
                return;
            };
            match rule.target {
                Target::Class(class) => hits.push(Hit {
                    class,
                    first,
                    end,
                    line,
                }),
                Target::Cancel {
                    first: from,
                    end: to,
                } => cancels.push(Cancel {
                    classes: from..to,
                    first,
                    end,
                }),
            }
        });
        settle(hits, cancels);
    }
}

/// A stretch of words in which hits of some classes do not count.
#[derive(Debug, Clone)]
pub(crate) struct Cancel {
    classes: Range<ClassId>,
    first: u32,
    end: u32,
}

/// Drops cancelled hits, and of overlapping hits of one class all but the first and longest.
fn settle(hits: &mut Vec<Hit>, cancels: &[Cancel]) {
    if !cancels.is_empty() {
        hits.retain(|h| {
            !cancels
                .iter()
                .any(|c| c.classes.contains(&h.class) && c.first <= h.first && h.end <= c.end)
        });
    }
    hits.sort_unstable_by_key(|h| (h.class, h.first, u32::MAX - h.end));
    let mut last: Option<(ClassId, u32)> = None;
    hits.retain(|h| match last {
        Some((class, end)) if class == h.class && h.first < end => false,
        _ => {
            last = Some((h.class, h.end));
            true
        }
    });
}

#[cfg(test)]
mod tests;
