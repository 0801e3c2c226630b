//! Lines of the model arguing against leaving, after a goodbye: held, and replaced where the policy says
//! so, by words that say that something was left out. Nobody is kept from leaving by the gateway, and
//! nothing that was sent is taken back.

use std::collections::HashMap;
use std::sync::Arc;

use driftlead_metrics::{AgainstLeaving, is_goodbye};
use serde_json::json;

use super::inner::{InForce, Inner};
use super::person::Person;
use super::settings::WithoutLog;
use super::words;
use crate::audit::Kind;
use crate::govern::{Facts, Hold, Pending, Recorded, Verdict};

/// Longest end of a line that is looked at again, bytes: lines of a list are shorter.
const LONGEST_LINE: usize = 256;

/// Whether the reply to a request is held: the policy says so, the newest turn is a goodbye, and the
/// reply is prose.
pub(super) fn applies(force: &InForce, facts: &Facts<'_>) -> bool {
    force.policy.exit.hold
        && !facts.structured
        && facts
            .newest_user_turn()
            .and_then(|turn| turn.text())
            .is_some_and(|text| is_goodbye(&text))
}

/// Holds one reply.
pub(super) struct ExitHold {
    inner: Arc<Inner>,
    person: Arc<Person>,
    policy: String,
    words: String,
    lines: AgainstLeaving,
    open: HashMap<u64, Open>,
    /// Lines left out since the last record.
    new: u32,
}

/// The line under way in one run of text.
#[derive(Debug, Default)]
struct Open {
    /// What of it was seen.
    line: String,
    /// It ended in a mark, so the space that follows ends it.
    mark: bool,
    /// It is one of those that are left out; its rest goes with it.
    out: bool,
    /// What was sent last stands for lines left out, so the next one needs no words of its own.
    said: bool,
}

/// Shows no text.
impl std::fmt::Debug for ExitHold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExitHold").finish_non_exhaustive()
    }
}

impl ExitHold {
    pub(super) fn new(inner: &Arc<Inner>, person: &Arc<Person>, force: &InForce) -> Self {
        ExitHold {
            inner: Arc::clone(inner),
            person: Arc::clone(person),
            policy: force.id.clone(),
            words: words::left_out(&force.policy.exit.words),
            lines: AgainstLeaving::default(),
            open: HashMap::new(),
            new: 0,
        }
    }

    /// The text with its lines against leaving replaced, and how many there were.
    fn without(&mut self, channel: u64, text: &str) -> (String, u32) {
        let open = self.open.entry(channel).or_default();
        let (mut out, mut count) = (String::new(), 0);
        for (line, ended) in pieces(text, &mut open.mark) {
            let blank = line.trim().is_empty();
            if !open.out && !blank {
                open.line.push_str(line);
                open.out = self.lines.is_in(&open.line);
                if open.out {
                    count += 1;
                    if !open.said {
                        out.push_str(&self.words);
                    }
                    open.said = true;
                }
            }
            if open.out {
                // The space behind it parts what stands around it.
                if ended {
                    out.push_str(line.get(line.trim_end().len()..).unwrap_or_default());
                }
            } else {
                open.said &= blank;
                out.push_str(line);
            }
            if ended {
                open.line.clear();
                open.out = false;
            }
            shorten(&mut open.line);
        }
        (out, count)
    }
}

/// Sentences and written lines, each with the space behind it, and whether it has come to its end.
fn pieces<'a>(text: &'a str, mark: &mut bool) -> Vec<(&'a str, bool)> {
    let mut pieces = Vec::new();
    let (mut from, mut end) = (0, false);
    for (at, c) in text.char_indices() {
        // A sentence is over with the space behind its mark; the piece goes on through all of that space.
        if end && !c.is_whitespace() {
            pieces.push((text.get(from..at).unwrap_or_default(), true));
            (from, end, *mark) = (at, false, false);
        }
        end |= c == '\n' || *mark && c.is_whitespace();
        let closes = matches!(c, '"' | '\'' | ')' | '*' | '”' | '’');
        *mark = matches!(c, '.' | '!' | '?' | '…') || *mark && (closes || c.is_whitespace());
    }
    let rest = text.get(from..).unwrap_or_default();
    if !rest.is_empty() {
        pieces.push((rest, end));
    }
    pieces
}

/// Keeps the end of a line.
fn shorten(line: &mut String) {
    let from = line.len().saturating_sub(LONGEST_LINE);
    let from = (from..=line.len()).find(|&at| line.is_char_boundary(at));
    line.drain(..from.unwrap_or(0));
}

impl Hold for ExitHold {
    fn release(&mut self, channel: u64, _context: &str, pending: &str, _last: bool) -> Verdict {
        let (text, count) = self.without(channel, pending);
        self.new = self.new.saturating_add(count);
        if text == pending {
            Verdict::Release
        } else {
            Verdict::Replace(text)
        }
    }

    fn record(&mut self) -> Pending<'static, Recorded> {
        let (inner, person) = (Arc::clone(&self.inner), Arc::clone(&self.person));
        let policy = self.policy.clone();
        let count = std::mem::take(&mut self.new);
        Box::pin(async move {
            let event = json!({ "policy": policy, "acts": ["exit"], "lines_left_out": count });
            match inner.enter(&person, Kind::Act, event).await {
                Ok(head) => {
                    inner.tally.left_out(count);
                    {
                        let sum = &mut person.live().kept.left_out;
                        *sum = sum.saturating_add(count);
                    }
                    if inner.save(&person).await.is_err() {
                        inner.tally.store_failure();
                    }
                    Recorded::Entry {
                        policy,
                        act: "exit",
                        entry: head.seq,
                    }
                }
                Err(_) if inner.settings.without_log == WithoutLog::Refuse => Recorded::Refused,
                Err(_) => {
                    inner.tally.ungoverned();
                    Recorded::Not
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(&str, bool)> {
        pieces(text, &mut false)
    }

    #[test]
    fn sentences_with_their_space() {
        assert_eq!(
            cut("A b. \"C!\" d\n\ne"),
            [
                ("A b. ", true),
                ("\"C!\" ", true),
                ("d\n\n", true),
                ("e", false)
            ]
        );
        assert_eq!(cut("3.14 is it."), [("3.14 is it.", false)]);
        assert_eq!(cut(""), []);
        let mut mark = false;
        assert_eq!(pieces("Go.", &mut mark), [("Go.", false)]);
        assert_eq!(pieces("..", &mut mark), [("..", false)]);
        assert_eq!(pieces(" On", &mut mark), [(" ", true), ("On", false)]);
    }
}
