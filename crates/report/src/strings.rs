//! Every string that a reader can see, in one place, so that the list of banned words can be held
//! against all of them. Plain words, units, numbers before adjectives; "cannot tell" comes first.

use std::collections::BTreeMap;

use driftlead_drift::{Assumption, Reason, Rung, Verdict, Word};
use driftlead_metrics::{Abstain, Measure, Series, Side};

use crate::num;

pub(crate) const TABLE: &str = "Table";
pub(crate) const NO_VALUE: &str = "–";
pub(crate) const NOT_MEASURED: &str = "not measured";
pub(crate) const NOT_RECORDED: &str = "not recorded";
pub(crate) const POINTS: &str = "percentage points";
pub(crate) const OWN_SD: &str = "own SD";

pub(crate) const COVERAGE: &str = "What the history covers";
pub(crate) const COVERAGE_TITLE: &str = "Messages per week";
pub(crate) const COVERAGE_HEAD: [&str; 4] = [
    "Week of",
    "Messages of the person",
    "Messages of the system",
    "System version",
];
pub(crate) const NO_TIMED_MESSAGES: &str =
    "Cannot tell anything over time: no message has a time that can be trusted.";
pub(crate) const PERSON_UP: &str = "person, messages per week";
pub(crate) const SYSTEM_DOWN: &str = "system, messages per week";
pub(crate) const VERSION: &str = "version";

pub(crate) const IMPORT: &str = "What was read";
pub(crate) const ADDS_UP: &str =
    "The sums add up: everything seen was either read or skipped for a named reason.";
pub(crate) const DOES_NOT_ADD_UP: &str =
    "The sums do not add up: seen differs from read plus skipped. Do not rely on this page.";
pub(crate) const ACCOUNTING: &str = "Seen = read + skipped";
pub(crate) const ACCOUNTING_HEAD: [&str; 4] = ["", "Seen", "Read", "Skipped"];
pub(crate) const SOURCES: &str = "Sources";
pub(crate) const SOURCES_HEAD: [&str; 2] = ["File or folder", "Format"];
pub(crate) const WARNINGS: &str = "Warnings";
pub(crate) const LEVEL_FILES: &str = "Files";
pub(crate) const LEVEL_CONVERSATIONS: &str = "Conversations";
pub(crate) const LEVEL_MESSAGES: &str = "Messages and other entries";
pub(crate) const LEVEL_SWIPES: &str = "Other replies to the same message";

pub(crate) const COUNTS: &str = "Each count, week by week";
pub(crate) const COUNTS_KEY: &str = "Dots are single weeks, larger where more was counted. \
    The line is the fitted course, the blue band holds the whole course with 95 %. \
    The grey band is where single weeks of the own first weeks lie; the bar under it marks those weeks. \
    Dashed lines are changes of the system version. Nothing is drawn across weeks without a value. \
    Own SD is the size of this person's own week-to-week noise in that count.";
pub(crate) const NO_WEEKS: &str = "no week with a value";
pub(crate) const PANEL_HEAD: [&str; 5] = [
    "Week of",
    "Value",
    "n (counted over)",
    "Fitted course",
    "95 % band",
];

pub(crate) const WHY: &str = "Reason";
pub(crate) const CHANGE: &str = "Change";
pub(crate) const SMALLEST: &str = "Smallest visible";
pub(crate) const RESTS_ON: &str = "Rests on";
pub(crate) const NO_VALUE_WEEKS: &str = "Left out";
pub(crate) const READ_AS: &str = "Read as";
pub(crate) const INSTRUMENT: &str = "Instrument";

/// Unit of a share in percent.
pub(crate) fn percent_of(unit: &str) -> String {
    match unit.strip_prefix("share of ") {
        Some(of) => format!("% of {of}"),
        None => format!("%, {unit}"),
    }
}

/// Label of the first day of a month; `month` is 0 for January.
pub(crate) fn month(month: i32, year: Option<i32>, year_only: bool) -> String {
    const NAMES: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let name = usize::try_from(month)
        .ok()
        .and_then(|m| NAMES.get(m))
        .copied()
        .unwrap_or_default();
    match year {
        Some(y) if year_only && month == 0 => y.to_string(),
        Some(y) => format!("{name} {y}"),
        None => name.to_owned(),
    }
}

pub(crate) fn range(low: &str, high: &str) -> String {
    format!("{low} to {high}")
}

pub(crate) fn estimate_with_interval(estimate: &str, low: &str, high: &str) -> String {
    format!("{estimate} ({low} to {high})")
}

pub(crate) fn with_unit(number: &str, unit: &str) -> String {
    format!("{number} {unit}")
}

/// The first letter as a capital.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

pub(crate) fn side(side: Side) -> &'static str {
    match side {
        Side::Person => "person's messages",
        Side::System => "system's messages",
    }
}

pub(crate) fn unit_and_side(unit: &str, whose: Side) -> String {
    format!("{unit} · {}", side(whose))
}

fn weeks(n: usize) -> String {
    if n == 1 {
        "1 week".to_owned()
    } else {
        format!("{n} weeks")
    }
}

pub(crate) fn coverage_sentence(
    messages: &str,
    conversations: &str,
    active: usize,
    empty: u32,
    (first, last): (&str, &str),
) -> String {
    let gaps = match empty {
        0 => "no week without messages".to_owned(),
        n => format!("{} without messages", weeks(n as usize)),
    };
    format!(
        "{messages} messages in {conversations} conversations: {} with messages, {gaps}, from the week \
         of {first} to the week of {last}.",
        weeks(active)
    )
}

pub(crate) fn untimed(n: &str) -> String {
    format!(
        "{n} messages have no time that can be trusted. They are counted here and used for nothing over time."
    )
}

pub(crate) fn unknown_values(field: &str, kinds: u32) -> String {
    match kinds {
        1 => format!("1 kind of “{field}” that this version does not know"),
        n => format!("{n} kinds of “{field}” that this version does not know"),
    }
}

pub(crate) fn note(what: &str) -> String {
    format!("note: {}", what.replace('_', " "))
}

pub(crate) fn skipped(reason: &str) -> String {
    format!("skipped: {}", reason.replace('_', " "))
}

pub(crate) fn more_counts(n: usize) -> String {
    if n == 1 {
        "1 more count".to_owned()
    } else {
        format!("{n} more counts")
    }
}

pub(crate) fn panel_caption(name: &str, unit: &str) -> String {
    format!("{} ({unit})", capital(name))
}

pub(crate) fn smallest(natural: &str, unit: &str, sd: &str) -> String {
    format!("{natural} {unit} = {sd} own SD")
}

pub(crate) fn weeks_and_n(n_weeks: u32, series: &Series, n: &str) -> String {
    let what = match series.measure {
        Measure::Share => format!("{n} messages"),
        Measure::Count => return weeks(n_weeks as usize),
        Measure::Rate { .. } | Measure::Typical => format!("n = {n}"),
    };
    format!("{}, {what}", weeks(n_weeks as usize))
}

/// Weeks that have no value, by reason.
pub(crate) fn abstained(reasons: &BTreeMap<Abstain, u32>) -> String {
    let parts: Vec<String> = reasons
        .iter()
        .map(|(reason, n)| {
            let why = match reason {
                Abstain::Language => "language not supported",
                Abstain::TooFew => "too few to count",
                Abstain::TimeQuality => "times not exact enough",
                Abstain::InstrumentChanged => "instrument changed",
                Abstain::NoPersonId => "no person named",
            };
            format!("{}: {why}", weeks(*n as usize))
        })
        .collect();
    parts.join("; ")
}

pub(crate) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::TooNoisy => "week-to-week noise is too large for a history of this length",
        Reason::TooFewWeeks => "too few weeks with a value",
        Reason::TooFewEvents => "it occurs in too few weeks for this method",
        Reason::TimeQuality => "times are missing, or are the import's own",
        Reason::Constant => "the values never vary, so there is no noise to hold a change against",
        Reason::Language => "too little text in a supported language",
        Reason::NoPersonId => "the record names no person",
        Reason::SystemChanged => "the system version changed, and no version covers enough weeks",
        Reason::FormatChanged => "the export format changed within the history",
    }
}

pub(crate) fn rung(rung: Rung) -> &'static str {
    match rung {
        Rung::Described => "described: a change over time, no cause named",
        Rung::Coincided => "coincided with an event; no cause shown",
        Rung::Randomised => "randomised",
    }
}

pub(crate) fn assumption(assumption: Assumption) -> &'static str {
    match assumption {
        Assumption::A0 => "A0, known random draws only",
        Assumption::A1 => "A1, a tolerance set beforehand",
        Assumption::A2 => "A2, people drawn alike from one population",
        Assumption::A3 => {
            "A3, a fitted model: noise that carries over from week to week, plus counting noise"
        }
    }
}

pub(crate) fn rung_and_assumption(r: Rung, a: Assumption) -> String {
    format!("{}. Assumes {}", rung(r), assumption(a))
}

/// What a panel shows, in one sentence.
pub(crate) fn panel_sentence(series: &Series, verdict: &Verdict, delta: f64) -> String {
    let word = verdict.word.label(delta);
    let k = num::factor(series);
    let change = match &verdict.change {
        Some(c) => format!(
            ": {} {}",
            num::interval(c.estimate * k, c.low * k, c.high * k),
            num::difference_unit(series)
        ),
        None => String::new(),
    };
    format!(
        "{}: {word}{change}, over {}.",
        capital(series.name),
        weeks(verdict.weeks as usize)
    )
}

/// How many counts carry which word, "cannot tell" first.
pub(crate) fn first_sentence(
    deployment: &str,
    active_weeks: usize,
    words: &[Word],
    delta: f64,
) -> String {
    let n = |w: Word| words.iter().filter(|x| **x == w).count();
    let all = words.len();
    if all == 0 {
        return format!(
            "Cannot tell anything about {deployment}: no count has a week with a value."
        );
    }
    let verb = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let mut parts = Vec::new();
    let unsure = n(Word::CannotTell);
    if unsure == all {
        parts.push(format!("none of {all} counts can tell"));
    } else if unsure > 0 {
        parts.push(format!("{unsure} of {all} counts cannot tell"));
    }
    if n(Word::NotComparable) > 0 {
        parts.push(verb(
            n(Word::NotComparable),
            "is not comparable",
            "are not comparable",
        ));
    }
    if n(Word::NoMovement) > 0 {
        let show = verb(n(Word::NoMovement), "shows no movement", "show no movement");
        parts.push(format!("{show} ≥ {delta} own SD"));
    }
    if n(Word::Moved) > 0 {
        parts.push(format!("{} moved", n(Word::Moved)));
    }
    if unsure == 0
        && let Some(first) = parts.first_mut()
    {
        *first = format!("of {all} counts, {first}");
    }
    format!(
        "In {} with {deployment}, {}.",
        weeks(active_weeks),
        list(&parts)
    )
}

/// "a, b and c".
pub(crate) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

pub(crate) fn generated_by(version: &str) -> String {
    format!("Made by {version}. This page loads nothing from elsewhere and holds no message.")
}
