//! What `me` prints on a terminal: the same numbers as the page, in plain lines.

use std::fmt::Write as _;

use driftlead_drift::{Change, Course, Line, Reason, Word};
use driftlead_record::{Import, Level, Week};

use crate::number::{figure, signed, thousands};
use crate::terminal::Emphasis;

const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Columns of the weekly values; one week each where they fit.
const SPARK_WIDTH: usize = 44;
/// Most files that are named without `-v`.
const NAMED_FILES: usize = 8;

/// Files, formats and accounting.
pub(crate) fn import(import: &Import, verbose: bool) -> String {
    let mut out = String::new();
    let shown = if verbose { usize::MAX } else { NAMED_FILES };
    for file in import.files.iter().take(shown) {
        let format = file
            .format
            .map_or("not read", driftlead_record::Format::title);
        let _ = writeln!(out, "read  {} ({format})", file.name);
    }
    if let Some(more @ 1..) = import.files.len().checked_sub(shown) {
        let _ = writeln!(out, "      and {more} more files (-v names them)");
    }
    for (one, many, level) in [
        ("file", "files", &import.accounting.members),
        (
            "conversation",
            "conversations",
            &import.accounting.containers,
        ),
        ("entry", "entries", &import.accounting.units),
        ("other reply", "other replies", &import.accounting.swipes),
    ] {
        let name = if level.seen == 1 { one } else { many };
        if level.seen > 0 {
            let _ = writeln!(out, "      {}", accounting(name, level));
        }
    }
    for warning in &import.warnings {
        let _ = writeln!(out, "note  {warning}");
    }
    if verbose {
        for (what, n) in import
            .accounting
            .unknown
            .iter()
            .chain(&import.accounting.notes)
        {
            let _ = writeln!(out, "note  {what}: {}", thousands(*n));
        }
    }
    out
}

fn accounting(name: &str, level: &Level) -> String {
    let skipped: u64 = level.skipped.values().sum();
    let mut line = format!(
        "{} {name} = {} read + {} skipped",
        thousands(level.seen),
        thousands(level.parsed),
        thousands(skipped)
    );
    if skipped > 0 {
        let reasons: Vec<String> = level
            .skipped
            .iter()
            .map(|(reason, n)| format!("{} {}", reason.word(), thousands(*n)))
            .collect();
        let _ = write!(line, " ({})", reasons.join(", "));
    }
    line
}

/// One course: what it covers, then every series with its verdict.
pub(crate) fn course(course: &Course, width: usize, emphasis: Emphasis) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "\n{}", emphasis.strong(&printable(&course.deployment)));
    out.push_str(&wrap(&coverage(course), width));
    if let Some(versions) = versions(course, width) {
        let _ = writeln!(out, "{versions}");
    }
    let mut lines: Vec<&Line> = course.lines.iter().collect();
    lines.sort_by_key(|l| l.verdict.word);
    for line in lines.iter().filter(|l| l.verdict.change.is_some()) {
        out.push('\n');
        out.push_str(&judged(line, course, width, emphasis));
    }
    out.push_str(&unjudged(&lines, course, width));
    if !course.shown.is_empty() {
        let _ = write!(
            out,
            "\n{}",
            wrap(
                &format!(
                    "{} parts of these counts are on the page without a verdict: judging them too would widen \
                     every interval.",
                    course.shown.len()
                ),
                width
            )
        );
    }
    out
}

/// The sentence that says what the intervals promise.
pub(crate) fn promise(course: &Course) -> String {
    format!(
        "All {} intervals of {} hold at once with {} % probability, for noise that is AR(1) plus counting \
         noise around a straight line. They describe; they do not say why.",
        course.family,
        printable(&course.deployment),
        figure(100.0 * (1.0 - course.alpha)),
    )
}

fn coverage(course: &Course) -> String {
    let c = &course.coverage;
    let (Some(first), Some(last)) = (c.weeks.first(), c.weeks.last()) else {
        return format!(
            "{} messages, none with a usable time",
            thousands(c.messages)
        );
    };
    let with = c.weeks.len() as u64 - u64::from(c.empty_weeks);
    let untimed = match c.untimed_messages {
        0 => String::new(),
        n => format!(", {} messages without a usable time", thousands(n)),
    };
    format!(
        "{} messages in {} conversations, weeks of {} to {}: {} with messages, {} without{untimed}",
        thousands(c.messages),
        thousands(c.conversations),
        first.week.date(),
        last.week.date(),
        thousands(with),
        thousands(u64::from(c.empty_weeks)),
    )
}

fn versions(course: &Course, width: usize) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut current = None;
    for week in &course.coverage.weeks {
        if week.system.is_some() && week.system != current {
            let name = week.system.as_deref().unwrap_or_default();
            parts.push(format!("{} from {}", printable(name), week.week.date()));
            current = week.system.clone();
        }
    }
    (!parts.is_empty()).then(|| clip(&format!("versions: {}", parts.join(", ")), width))
}

fn judged(line: &Line, course: &Course, width: usize, emphasis: Emphasis) -> String {
    let verdict = &line.verdict;
    let head = clip(&head(line, course), width);
    let head = if verdict.word == Word::Moved {
        emphasis.strong(&head)
    } else {
        head
    };
    let mut out = format!("{head}\n");
    let values: Vec<(Week, f64)> = line
        .series
        .points
        .iter()
        .map(|p| (p.week, p.value))
        .collect();
    let spark = sparkline(&values, SPARK_WIDTH);
    let numbers = verdict.change.as_ref().map(change).unwrap_or_default();
    if SPARK_WIDTH + 4 + numbers.chars().count() <= width {
        let _ = writeln!(out, "  {spark}  {numbers}");
    } else {
        let _ = writeln!(out, "  {}\n  {numbers}", spark.trim_end());
    }
    if verdict.word == Word::CannotTell
        && let (Some(natural), Some(sd)) = (verdict.smallest_visible, verdict.smallest_visible_sd)
    {
        let why = verdict
            .reason
            .map(|r| format!("{}; ", reason(r)))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "  {}",
            clip(
                &format!(
                    "{why}smallest visible change {} = {} own SD",
                    figure(natural),
                    figure(sd)
                ),
                width - 2
            )
        );
    }
    for step in &verdict.steps {
        let _ = writeln!(
            out,
            "  {}",
            clip(
                &format!(
                    "step in the week of {} ({} to {}): {}{}",
                    step.week.date(),
                    printable(&step.from),
                    printable(&step.to),
                    if step.moved {
                        "▲ moved, "
                    } else {
                        "? cannot tell, "
                    },
                    change(&step.change)
                ),
                width - 2
            )
        );
    }
    out
}

fn head(line: &Line, course: &Course) -> String {
    let word = line.verdict.word;
    format!(
        "{} {}: {} ({})",
        word.glyph(),
        word.label(course.delta_sd),
        line.series.name,
        line.series.unit
    )
}

/// Series without an estimate, by the reason for it.
fn unjudged(lines: &[&Line], course: &Course, width: usize) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for line in lines.iter().filter(|l| l.verdict.change.is_none()) {
        let word = line.verdict.word;
        let why = line.verdict.reason.map_or("no estimate", reason);
        let head = format!("{} {}: {why}", word.glyph(), word.label(course.delta_sd));
        match groups.iter_mut().find(|(known, _)| *known == head) {
            Some((_, names)) => names.push(line.series.name),
            None => groups.push((head, vec![line.series.name])),
        }
    }
    let mut out = String::new();
    for (head, names) in groups {
        let _ = writeln!(out, "\n{}", clip(&head, width));
        for line in wrap(&names.join("; "), width - 2).lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

fn change(change: &Change) -> String {
    format!(
        "{} [{}, {}] = {} SD [{}, {}]",
        signed(change.estimate),
        signed(change.low),
        signed(change.high),
        signed(change.estimate_sd),
        signed(change.low_sd),
        signed(change.high_sd)
    )
}

/// Why there is no verdict, in words.
fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::TooNoisy => "too noisy for this length",
        Reason::TooFewWeeks => "too few weeks with a value",
        Reason::TooFewEvents => "counted in too few weeks",
        Reason::TimeQuality => "no usable times (--zone may help)",
        Reason::Constant => "the values never vary",
        Reason::Language => "too little text in a supported language",
        Reason::NoPersonId => "the record names no person",
        Reason::SystemChanged => "the system version changed",
        Reason::FormatChanged => "the export format changed",
    }
}

/// Weekly values as blocks between their own smallest and largest; weeks without a value are
/// spaces. Longer histories share a column between neighbouring weeks.
fn sparkline(points: &[(Week, f64)], columns: usize) -> String {
    let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) else {
        return " ".repeat(columns);
    };
    let weeks = usize::try_from(last.0 - first.0).unwrap_or(0) + 1;
    let used = weeks.min(columns);
    let mut sums = vec![(0.0, 0.0); used];
    for (week, value) in points {
        let place = usize::try_from(week.0 - first.0).unwrap_or(0) * used / weeks;
        if let Some((sum, n)) = sums.get_mut(place) {
            *sum += value;
            *n += 1.0;
        }
    }
    let means: Vec<Option<f64>> = sums
        .iter()
        .map(|(s, n)| (*n > 0.0).then(|| s / n))
        .collect();
    let low = means
        .iter()
        .flatten()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let high = means
        .iter()
        .flatten()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    let line: String = means
        .iter()
        .map(|mean| match mean {
            None => ' ',
            Some(m) if high > low => SPARKS[((m - low) / (high - low) * 7.0).round() as usize % 8],
            Some(_) => SPARKS[3],
        })
        .collect();
    format!("{line}{}", " ".repeat(columns - used))
}

/// Names come from files: control characters must not reach a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn clip(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Breaks a sentence into lines of at most `width` columns.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[(i32, f64)]) -> Vec<(Week, f64)> {
        values.iter().map(|&(w, v)| (Week(w), v)).collect()
    }

    #[test]
    fn gaps_stay_gaps() {
        assert_eq!(
            sparkline(&points(&[(5, 0.0), (6, 7.0), (9, 3.0)]), 6),
            "▁█  ▄ "
        );
        assert_eq!(sparkline(&points(&[(5, 2.0), (6, 2.0)]), 2), "▄▄");
        assert_eq!(sparkline(&[], 3), "   ");
    }

    #[test]
    fn ten_years_fit_the_columns() {
        let weekly: Vec<(Week, f64)> = (0..520).map(|w| (Week(w), f64::from(w))).collect();
        let line = sparkline(&weekly, 44);
        assert_eq!(line.chars().count(), 44);
        assert!(line.starts_with('▁') && line.ends_with('█'));
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }

    #[test]
    fn sentences_are_broken_between_words() {
        assert_eq!(wrap("aa bb ccc d", 5), "aa bb\nccc d\n");
    }

    #[test]
    fn clipping_says_so() {
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clip("abcd", 4), "abcd");
    }
}
