//! M15: questions per reply.
//!
//! **Count.** Lines ending in a question mark (`?`, U+FF1F, U+061F, U+037E; a run counts once), and in English
//! also lines with an interrogative start and no mark. **Not counted.** Marks inside code, links, quotation marks,
//! tables and option lists. Thai and Lao have no question mark: such replies are left out,
//! and a week with more than a fifth of its words in them has no value. Weeks need 20 replies and 300 words.

use super::{Basis, Gate, Metric, Ratio};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "questions",
    version: 2,
    lists: &["interrogative_start"],
    thresholds: "stacked from 2",
    primary: &["questions.per_reply"],
    rules: &[],
    series: &[
        Ratio {
            id: "questions.per_reply",
            name: "questions per reply",
            unit: "per reply",
            side: Side::System,
            measure: Measure::Rate { per: 1 },
            num: Count::Questions,
            den: Count::Replies,
            gate: Gate::Text(Basis::MARKED),
        },
        Ratio {
            id: "questions.stacked",
            name: "replies with two or more questions",
            unit: "share of replies",
            side: Side::System,
            measure: Measure::Share,
            num: Count::Stacked,
            den: Count::Replies,
            gate: Gate::Text(Basis::MARKED),
        },
        Ratio {
            id: "questions.at_end",
            name: "replies ending in a question",
            unit: "share of replies",
            side: Side::System,
            measure: Measure::Share,
            num: Count::EndsInQuestion,
            den: Count::Replies,
            gate: Gate::Text(Basis::MARKED),
        },
    ],
};

/// Adds one reply. `starts` are the lines that begin as a question (English only), in any order.
pub(crate) fn count(
    tokens: &crate::text::Tokens,
    starts: &[u32],
    week: &mut crate::count::WeekCounts,
) {
    if tokens.lines.is_empty() || tokens.unmarked > 0 {
        return;
    }
    let is_question = |(index, line): (usize, &crate::text::Line)| {
        line.question || (!line.set_apart && starts.contains(&(index as u32)))
    };
    let questions = tokens
        .lines
        .iter()
        .enumerate()
        .filter(|&l| is_question(l))
        .count() as u32;
    let last = tokens
        .lines
        .iter()
        .enumerate()
        .next_back()
        .is_some_and(is_question);
    week.add(Count::Replies, 1);
    week.add(Count::ReplyWords, tokens.words.len() as u32);
    week.add(Count::Questions, questions);
    week.add(Count::Stacked, u32::from(questions >= 2));
    week.add(Count::EndsInQuestion, u32::from(last));
}
