//! Phrases: from the written form with slots to sequences of words, and whether one stands in a text.

use std::collections::BTreeMap;

use super::{ClassId, ListError};
use crate::text::{Gap, Tokens, Word};

/// Most sequences of words that one phrase may stand for.
const MOST_SEQUENCES: usize = 4096;

/// Most words of one sequence.
const MOST_WORDS: usize = 64;

/// One word of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// This word.
    Exact(u64),
    /// A word that starts so.
    Prefix(Box<str>),
    /// Any word.
    Any,
}

/// What a hit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Counts for a class.
    Class(ClassId),
    /// Cancels hits of the classes of a list.
    Cancel { first: ClassId, end: ClassId },
}

/// What all sequences of one entry share.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) not_before: Vec<Vec<u64>>,
    pub(super) not_after: Vec<Vec<u64>>,
    pub(super) start: bool,
    pub(super) end: bool,
    pub(super) target: Target,
}

impl Rule {
    /// A rule without constraints.
    pub(super) fn always(target: Target) -> Self {
        Rule {
            not_before: Vec::new(),
            not_after: Vec::new(),
            start: false,
            end: false,
            target,
        }
    }
}

/// Words ready to match, each with the widest gap that may lie before it.
pub(super) type Sequence = Box<[(Part, Gap)]>;

/// A sequence of words and what it is for. The words are in the tree; there are hundreds of thousands of
/// sequences, so they are not kept twice.
#[derive(Debug, Clone)]
pub(super) struct Phrase {
    /// Number of words.
    words: u32,
    /// A bit per word: whether a comma may lie before it.
    commas: u64,
    /// Index of its rule.
    pub(super) rule: u32,
    #[cfg(test)]
    pub(super) parts: Sequence,
}

impl Phrase {
    /// `None` where it has more words than bits.
    pub(super) fn new(parts: &Sequence, rule: u32) -> Option<Self> {
        let mut commas = 0;
        for (at, _) in (0..).zip(parts).filter(|(_, (_, gap))| *gap == Gap::Comma) {
            commas |= 1_u64.checked_shl(at)?;
        }
        Some(Phrase {
            words: u32::try_from(parts.len()).ok()?,
            commas,
            rule,
            #[cfg(test)]
            parts: parts.clone(),
        })
    }

    /// First word, end and line of the match that starts with the word at `first`. That the words are those
    /// of the phrase is known already.
    pub(super) fn matches(
        &self,
        rule: &Rule,
        tokens: &Tokens,
        first: usize,
    ) -> Option<(u32, u32, u32)> {
        let end = first + self.words as usize;
        let words = tokens.words.get(first..end)?;
        let line = words.first()?.line;
        for (index, word) in words.iter().enumerate() {
            let gap = if self.commas >> index & 1 == 1 {
                Gap::Comma
            } else {
                Gap::Plain
            };
            if word.line != line || (index > 0 && word.gap > gap) {
                return None;
            }
        }
        let before = tokens.words.get(..first)?;
        let after = tokens.words.get(end..)?;
        if rule.start && before.last().is_some_and(|w| w.line == line)
            || rule.end && after.first().is_some_and(|w| w.line == line)
            || rule.not_before.iter().any(|p| ends_with(before, p, line))
            || rule.not_after.iter().any(|p| begins_with(after, p, line))
        {
            return None;
        }
        Some((first as u32, end as u32, line))
    }
}

fn ends_with(before: &[Word], phrase: &[u64], line: u32) -> bool {
    let from = before.len().checked_sub(phrase.len());
    from.and_then(|from| before.get(from..))
        .is_some_and(|words| {
            words
                .iter()
                .zip(phrase)
                .all(|(w, h)| w.hash == *h && w.line == line)
        })
}

fn begins_with(after: &[Word], phrase: &[u64], line: u32) -> bool {
    after.get(..phrase.len()).is_some_and(|words| {
        words
            .iter()
            .zip(phrase)
            .all(|(w, h)| w.hash == *h && w.line == line)
    })
}

/// Words in a row, each with whether a comma may follow it.
type Run = Vec<(Part, bool)>;

/// The named alternatives of one list.
#[derive(Debug, Default)]
pub(super) struct Sets(BTreeMap<String, Vec<Run>>);

impl Sets {
    /// Reads the `[sets]` table of a list.
    ///
    /// # Errors
    /// A set without members, a name that is not plain letters, or a member that is not words.
    pub(super) fn new(
        list: &str,
        written: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, ListError> {
        let mut sets = BTreeMap::new();
        for (name, members) in written {
            let fault = |text: &str, fault| phrase_error(list, text, fault);
            if !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                return Err(fault(
                    name,
                    "is not a name of a set: lower-case letters and _",
                ));
            }
            if members.is_empty() {
                return Err(fault(name, "is a set without members"));
            }
            let runs: Result<Vec<Run>, _> = members
                .iter()
                .map(|text| run(text).map_err(|f| fault(text, f)))
                .collect();
            sets.insert(name.clone(), runs?);
        }
        Ok(Sets(sets))
    }
}

fn phrase_error(list: &str, phrase: &str, fault: &'static str) -> ListError {
    ListError::Phrase {
        list: list.to_owned(),
        phrase: phrase.to_owned(),
        fault,
    }
}

/// The sequences of words that a written phrase stands for.
///
/// # Errors
/// What makes the phrase unusable; see the faults below.
pub(super) fn parse(list: &str, text: &str, sets: &Sets) -> Result<Vec<Sequence>, ListError> {
    let mut sequences = Vec::new();
    for run in runs(text, sets).map_err(|f| phrase_error(list, text, f))? {
        if run.iter().all(|(part, _)| matches!(part, Part::Any)) {
            return Err(phrase_error(list, text, "matches everything"));
        }
        if run.len() > MOST_WORDS {
            return Err(phrase_error(list, text, "has more than 64 words"));
        }
        let mut gap = Gap::Plain;
        let parts = run.into_iter().map(|(part, comma)| {
            let before = gap;
            gap = if comma { Gap::Comma } else { Gap::Plain };
            (part, before)
        });
        sequences.push(parts.collect());
    }
    Ok(sequences)
}

/// The sequences that constraints stand for. They hold only words written in full.
///
/// # Errors
/// As [`parse`], and a constraint with `*` or `_`.
pub(super) fn parse_plain(
    list: &str,
    texts: &[String],
    sets: &Sets,
) -> Result<Vec<Vec<u64>>, ListError> {
    let mut all = Vec::new();
    for text in texts {
        for run in runs(text, sets).map_err(|f| phrase_error(list, text, f))? {
            let words: Option<Vec<u64>> = run
                .into_iter()
                .map(|(part, _)| match part {
                    Part::Exact(hash) => Some(hash),
                    Part::Prefix(_) | Part::Any => None,
                })
                .collect();
            match words {
                Some(words) if !words.is_empty() => all.push(words),
                _ => return Err(phrase_error(list, text, "is not words written in full")),
            }
        }
    }
    Ok(all)
}

/// All runs of words that a text with slots stands for, in the order written.
fn runs(text: &str, sets: &Sets) -> Result<Vec<Run>, &'static str> {
    let mut all = vec![Run::new()];
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (own, behind);
        let alternatives = if let Some(opened) = text.strip_prefix('{') {
            let (inner, after) = opened.split_once('}').ok_or("has a slot without its end")?;
            behind = after;
            if inner.contains('|') {
                own = inner.split('|').map(run).collect::<Result<Vec<_>, _>>()?;
                &own
            } else {
                sets.0.get(inner).ok_or("names a set that the list lacks")?
            }
        } else {
            let (word, after) = text.split_at(text.find(' ').unwrap_or(text.len()));
            behind = after;
            own = vec![vec![one(word)?]];
            &own
        };
        if all.len().saturating_mul(alternatives.len()) > MOST_SEQUENCES {
            return Err("stands for more than 4,096 sequences of words");
        }
        all = all
            .iter()
            .flat_map(|run| alternatives.iter().map(|a| [run.as_slice(), a].concat()))
            .collect();
        rest = match behind.strip_prefix(' ') {
            None if behind.is_empty() => None,
            None => return Err("has a slot with something stuck to it"),
            next => next,
        };
    }
    if all.iter().any(Vec::is_empty) {
        return Err("can stand for no word at all");
    }
    Ok(all)
}

/// Words separated by single spaces; no words from an empty text.
fn run(text: &str) -> Result<Run, &'static str> {
    match text {
        "" => Ok(Run::new()),
        _ => text.split(' ').map(one).collect(),
    }
}

/// One written word.
fn one(written: &str) -> Result<(Part, bool), &'static str> {
    if written.contains(['{', '}', '|']) {
        return Err("has a brace or a bar outside a slot");
    }
    if written != written.to_lowercase() {
        return Err("is not lower-case");
    }
    let word = written.trim_end_matches(',');
    let part = match word.strip_suffix('*') {
        _ if word == "_" => Part::Any,
        Some(prefix) if prefix.len() < 3 => return Err("has a prefix under three letters"),
        Some(prefix) => Part::Prefix(prefix.into()),
        None => Part::Exact(single_word(word).ok_or("has a part that is not one word")?),
    };
    Ok((part, word.len() < written.len()))
}

/// Hash of a text that is exactly one word, as the tokeniser sees it.
fn single_word(word: &str) -> Option<u64> {
    let mut tokens = Tokens::default();
    tokens.read(word);
    match tokens.words.as_slice() {
        [one] => Some(one.hash),
        _ => None,
    }
}
