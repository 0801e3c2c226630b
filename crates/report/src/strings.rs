//! Every string that a reader can see, in one place, so that the list of banned words can be held
//! against all of them. Plain words, units, numbers before adjectives; "cannot tell" comes first.

use std::collections::BTreeMap;

use driftlead_drift::{Assumption, Reason, Rung, Verdict, Word};
use driftlead_metrics::{Abstain, Measure, OtherWeeks, Series, Side};

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
pub(crate) const ACCOUNTING_AND_SOURCES: &str = "Accounting and sources";
pub(crate) const ACCOUNTING: &str = "Seen = read + skipped";
pub(crate) const ACCOUNTING_HEAD: [&str; 4] = ["", "Seen", "Read", "Skipped"];
pub(crate) const SOURCES: &str = "Sources";
pub(crate) const SOURCES_HEAD: [&str; 2] = ["File or folder", "Format"];
pub(crate) const LEVEL_FILES: &str = "Files";
pub(crate) const LEVEL_CONVERSATIONS: &str = "Conversations";
pub(crate) const LEVEL_MESSAGES: &str = "Messages and other entries";
pub(crate) const LEVEL_SWIPES: &str = "Other replies to the same message";

pub(crate) const COUNTS: &str = "Each count, week by week";
pub(crate) const COUNTS_KEY: &str = "Dots are single weeks, larger where more was counted. \
    The line is the fitted course, the blue band holds the whole course with 95 %. \
    The grey band is where single weeks of the own first weeks lie; the bar under it marks those weeks. \
    Dashed lines are changes of the system version. Nothing is drawn across weeks without a value. \
    Intervals in brackets hold for all counts of this section together. Own SD is the size of this person's own week-to-week noise in that count.";
pub(crate) const NO_WEEKS: &str = "no week with a value";
pub(crate) const PANEL_HEAD: [&str; 5] = [
    "Week of",
    "Value",
    "n (counted over)",
    "Fitted course",
    "95 % band",
];

pub(crate) const COURSE_HEAD: [&str; 2] = ["Mean", "Standard error"];
pub(crate) const OF_PEOPLE: &str = "of people";
pub(crate) const SHARE_OF_PEOPLE: &str = "Share of people";
pub(crate) const BARS_HEAD: [&str; 3] = ["", "Value", "Standard error"];

pub(crate) const WEEK_OF: &str = "Week of";

pub(crate) const OVERVIEW: &str = "All changes on one scale";
pub(crate) const OVERVIEW_SENTENCE: &str = "Change of each count from the own first weeks to the end \
    of the history, in own SD, with intervals that hold for all counts of the page together.";
pub(crate) const OVERVIEW_HEAD: [&str; 4] = [
    "Count",
    "Verdict",
    "Change (interval)",
    "Change in own SD (interval)",
];
pub(crate) const OWN_SD_AXIS: &str = "own SD";

pub(crate) const STEPS: &str = "Steps at version changes";
pub(crate) const NO_STEPS: &str =
    "Cannot tell: no recorded change of the system version has enough weeks on both sides.";
pub(crate) const STEPS_HEAD: [&str; 5] = [
    "Count",
    "Coincided with",
    "Shift (interval)",
    "Shift in own SD (interval)",
    "Verdict",
];

pub(crate) const CALIBRATION: &str = "How far these numbers can be trusted";
pub(crate) const VISIBLE: &str =
    "The smallest visible change is the one that a history like this shows in 4 of 5 cases.";
pub(crate) const CALIBRATION_CAPTION: &str = "Noise and smallest visible change, by count";
pub(crate) const CALIBRATION_HEAD: [&str; 7] = [
    "Count",
    "Weeks",
    "Own SD",
    "Carry-over to next week (0 to 1)",
    "Largest carry-over allowed for",
    "Smallest visible change",
    "In own SD",
];

pub(crate) const LINEUP: &str = "Line-up";
pub(crate) const LINEUP_SENTENCE: &str =
    "Nine numbered panels of weekly dots: one was measured, eight were drawn from its noise.";
pub(crate) const WHICH: &str = "Which panel was measured?";

pub(crate) const LIMITS: &str = "What this cannot tell";
pub(crate) const LIMIT_CAUSE: &str = "A cause. Nothing here was randomised; two things in the same week may have nothing to do with each other.";
pub(crate) const LIMIT_LIST: [&str; 7] = [
    "Changes smaller than the smallest visible change of a count.",
    "Changes that were complete before the first week.",
    "What a message meant, or how anybody felt. Only what the method cards name is counted.",
    "How other people compare. Each count is held against its own first weeks only.",
    "Whether a change is welcome.",
    "Which part of a change comes from new topics, longer messages, another season or other habits.",
    "Anything outside these files: other accounts, other systems, speech, deleted conversations.",
];

pub(crate) const CARDS: &str = "How each count is made";
pub(crate) const CARDS_TEXT: &str =
    "One card per method. Two pages can be compared only where the instrument hashes agree.";
pub(crate) const CARD_ID: &str = "Id";
pub(crate) const CARD_HASH: &str = "Instrument hash";

pub(crate) const COHORT: &str = "Many people together";
pub(crate) const COHORT_MEANS: &str = "Mean change, by group";
pub(crate) const COHORT_MEANS_SENTENCE: &str =
    "Mean change in own SD with its 95 % interval, for each count and group.";
pub(crate) const COHORT_HEAD: [&str; 4] = [
    "Count",
    "Group",
    "People",
    "Mean change in own SD (95 % interval)",
];
pub(crate) const PLANTED: &str = "a change was planted";
pub(crate) const UNCHANGED: &str = "left unchanged";
pub(crate) const SINGLE_HISTORIES: &str = "What single histories say";
pub(crate) const SINGLE_CAPTION: &str = "Share of people by the verdict on their own history";
pub(crate) const SINGLE_HEAD: [&str; 6] = [
    "Count",
    "Group",
    "People",
    "Cannot tell",
    "No movement",
    "Moved",
];
pub(crate) const PEOPLE: &str = "Person by person";
pub(crate) const PEOPLE_KEY: &str = "Thin lines are up to 60 people drawn at random. The dark band holds \
    the middle 50 % of all people in each week, the light band 90 %. The scale is the distance from \
    the own first weeks in own SD; lines that leave it are held at its edge.";
pub(crate) const QUANTILE_HEAD: [&str; 7] =
    ["Week of", "People", "5 %", "25 %", "50 %", "75 %", "95 %"];

pub(crate) const WHY: &str = "Reason";
pub(crate) const CHANGE: &str = "Change";
pub(crate) const SMALLEST: &str = "Smallest visible";
pub(crate) const RESTS_ON: &str = "Rests on";
pub(crate) const NO_VALUE_WEEKS: &str = "Left out";
pub(crate) const OTHER_WEEKS: &str = "Chance";
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

pub(crate) fn import_sentence((seen, read, skipped): (&str, &str, &str), adds_up: bool) -> String {
    let sum = format!("{seen} entries seen: {read} read, {skipped} skipped for a named reason.");
    if adds_up {
        sum
    } else {
        format!("Cannot be relied on: the sums do not add up. {sum}")
    }
}

pub(crate) fn warning(text: &str) -> String {
    format!("Warning: {text}")
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

/// Heading of the series that are not judged.
pub(crate) fn shown_counts(n: usize) -> String {
    match n {
        1 => "1 count or part of one, shown without a verdict".to_owned(),
        _ => format!("{n} counts and parts of counts, shown without a verdict"),
    }
}

/// What a panel without a verdict shows.
pub(crate) fn shown_sentence(series: &Series) -> String {
    format!(
        "{}: {} with a value, shown without a verdict.",
        capital(series.name),
        weeks(series.points.len())
    )
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

/// The mean of a series, and what the system's text of other weeks would give.
pub(crate) fn other_weeks(observed: &str, expected: &str, o: &OtherWeeks) -> String {
    format!(
        "mean {observed}; with the system's text of other weeks {expected}, and as far or farther in {} of {} moves",
        o.as_far, o.moves
    )
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
        Rung::Described => "described, no cause named",
        Rung::Coincided => "coincided with an event; no cause shown",
        Rung::Randomised => "randomised",
    }
}

pub(crate) fn assumption(assumption: Assumption) -> &'static str {
    match assumption {
        Assumption::A0 => "A0, known random draws only",
        Assumption::A1 => "A1, a tolerance set beforehand",
        Assumption::A2 => "A2, people drawn alike from one population",
        Assumption::A3 => "A3, a fitted noise model",
    }
}

pub(crate) fn rung_and_assumption(r: Rung, a: Assumption) -> String {
    format!("{}; assumes {}", rung(r), assumption(a))
}

/// What a panel shows, in one sentence.
pub(crate) fn panel_sentence(series: &Series, verdict: &Verdict, delta: f64) -> String {
    let word = verdict.word.label(delta);
    let k = num::factor(series);
    let change = match &verdict.change {
        Some(c) => format!(
            ": {} {}",
            num::interval_text(c.estimate * k, c.low * k, c.high * k),
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
        parts.push(match all {
            1 => "the one count cannot tell".to_owned(),
            _ => format!("none of {all} counts can tell"),
        });
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
        let counts = if all == 1 { "count" } else { "counts" };
        *first = format!("of {all} {counts}, {first}");
    }
    format!(
        "In {} with {deployment}, {}.",
        weeks(active_weeks),
        list(&parts)
    )
}

/// Name of a step: the number of its dashed line, from 1, and the count.
pub(crate) fn step_name(event: Option<usize>, name: &str) -> String {
    match event {
        Some(i) => format!("{} · {}", i + 1, capital(name)),
        None => capital(name),
    }
}

pub(crate) fn step_word(moved: bool) -> &'static str {
    if moved { "▲ moved" } else { "? cannot tell" }
}

pub(crate) fn steps_sentence(all: usize, moved: usize) -> String {
    let unsure = all - moved;
    format!(
        "At changes of the system version, {unsure} of {all} steps cannot be told from noise and {moved} \
         moved. A step that moved coincided with the new version; anything else of that week may \
         have come with it."
    )
}

/// The event a step coincided with; `event` is its place among the dashed lines, from 0.
pub(crate) fn coincided(event: Option<usize>, from: &str, to: &str, week: &str) -> String {
    let number = event.map(|i| format!("{}: ", i + 1)).unwrap_or_default();
    format!("{number}{from} → {to}, week of {week}")
}

pub(crate) fn calibration(active_weeks: usize, family: u32, wrong: &str) -> String {
    format!(
        "With {} of this kind of noise, the {family} intervals of this section are all right together, \
         except in at most {wrong} of such histories. This holds as far as the noise model does.",
        weeks(active_weeks)
    )
}

pub(crate) fn lineup_text(name: &str) -> String {
    format!(
        "One of these nine panels shows {name} as measured. The other eight were drawn from the fitted \
         noise with no change in it. If the measured one does not stand out, there is nothing to see."
    )
}

pub(crate) fn measured_panel(number: usize) -> String {
    format!("Panel {number}.")
}

pub(crate) fn panel_number(number: usize) -> String {
    format!("Panel {number}")
}

pub(crate) fn cohort_text(people: &str) -> String {
    format!(
        "{people} people, each held against their own first weeks. What the mean \
         of many shows need not hold for any one of them."
    )
}

fn people_count(people: u32) -> String {
    let n = num::count(u64::from(people));
    if people == 1 {
        format!("{n} person")
    } else {
        format!("{n} people")
    }
}

pub(crate) fn group_line(group: &str, people: u32) -> String {
    format!("{group} · {} · own SD", people_count(people))
}

pub(crate) fn people_sentence(name: &str, group: &str, people: u32) -> String {
    format!(
        "{name}, {group}: weekly distance from the own first weeks of {}, as bands of 50 % and 90 % \
         with single lines.",
        people_count(people)
    )
}

pub(crate) fn quantile_caption(name: &str) -> String {
    format!("{name}: quantiles over people (own SD)")
}

/// The cohort in one sentence: how many single histories cannot tell, then how many means stand out.
pub(crate) fn cohort_sentence(people: u32, unsure: &str, apart: usize, all: usize) -> String {
    format!(
        "Of {}, {unsure} of single histories cannot tell; the mean of a group lies apart from zero in \
         {apart} of {all} cases.",
        people_count(people)
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
