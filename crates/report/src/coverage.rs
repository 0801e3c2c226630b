//! What the history covers: messages per week of both sides, gaps, versions, accounting.

use std::sync::Arc;

use driftlead_drift::{Coverage, WeekCoverage};
use driftlead_record::{Accounting, Level, Week};

use crate::figure::{Figure, Table};
use crate::html::Html;
use crate::input::Import;
use crate::num::count;
use crate::plot::{Calendar, Path, Scale, fit, label, months, rule};
use crate::strings;

const WIDTH: u32 = 1110;
const HEIGHT: u32 = 222;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 1102.0;
const TOP: f64 = 18.0;
const MIDDLE: f64 = 92.0;
const BOTTOM: f64 = 166.0;
const RIBBON: f64 = 186.0;

/// A stretch of weeks under one system version, as recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stretch {
    /// First week.
    pub(crate) first: Week,
    /// Last week.
    pub(crate) last: Week,
    /// Version; `None` where none was recorded.
    pub(crate) system: Option<Arc<str>>,
}

/// Stretches of one version. Weeks without messages belong to the stretch before them.
pub(crate) fn stretches(weeks: &[WeekCoverage]) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    for w in weeks {
        let empty = w.person_messages == 0 && w.system_messages == 0;
        match out.last_mut() {
            Some(s) if empty || s.system == w.system => s.last = w.week,
            _ => out.push(Stretch {
                first: w.week,
                last: w.week,
                system: w.system.clone(),
            }),
        }
    }
    out
}

/// Weeks in which a recorded version follows another recorded version.
pub(crate) fn version_changes(weeks: &[WeekCoverage]) -> Vec<Week> {
    let known: Vec<Stretch> = stretches(weeks)
        .into_iter()
        .filter(|s| s.system.is_some())
        .collect();
    known
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] if a.system != b.system => Some(b.first),
            _ => None,
        })
        .collect()
}

/// First and last week, where there are any.
pub(crate) fn span(coverage: &Coverage) -> Option<(Week, Week)> {
    Some((coverage.weeks.first()?.week, coverage.weeks.last()?.week))
}

/// Weeks with messages.
pub(crate) fn active_weeks(coverage: &Coverage) -> usize {
    coverage
        .weeks
        .len()
        .saturating_sub(coverage.empty_weeks as usize)
}

/// Writes the coverage strip of one deployment.
pub(crate) fn write(h: &mut Html, coverage: &Coverage, mark: Option<&str>) {
    h.el("section", &[("class", "coverage")], |h| {
        h.leaf("h3", &[], strings::COVERAGE);
        let Some((first, last)) = span(coverage) else {
            h.leaf("p", &[], strings::NO_TIMED_MESSAGES);
            return;
        };
        let sentence = strings::coverage_sentence(
            &count(coverage.messages),
            &count(coverage.conversations),
            active_weeks(coverage),
            coverage.empty_weeks,
            (&first.date(), &last.date()),
        );
        h.leaf("p", &[], &sentence);
        if coverage.untimed_messages > 0 {
            h.leaf(
                "p",
                &[],
                &strings::untimed(&count(coverage.untimed_messages)),
            );
        }
        let figure = Figure {
            title: strings::COVERAGE_TITLE,
            sentence: &sentence,
            width: WIDTH,
            height: HEIGHT,
            label: mark,
        };
        figure.draw(h, &table(coverage), |h| strip(h, coverage, first, last));
    });
}

fn table(coverage: &Coverage) -> Table {
    let rows = coverage.weeks.iter().map(|w| {
        vec![
            w.week.date(),
            w.person_messages.to_string(),
            w.system_messages.to_string(),
            w.system
                .as_deref()
                .unwrap_or(strings::NOT_RECORDED)
                .to_owned(),
        ]
    });
    Table {
        caption: strings::COVERAGE_TITLE.to_owned(),
        head: strings::COVERAGE_HEAD
            .iter()
            .map(|s| (*s).to_owned())
            .collect(),
        rows: rows.collect(),
    }
}

fn strip(h: &mut Html, coverage: &Coverage, first: Week, last: Week) {
    let calendar = Calendar::new(first, last, LEFT, RIGHT);
    let most = coverage
        .weeks
        .iter()
        .map(|w| w.person_messages.max(w.system_messages))
        .max()
        .unwrap_or(0)
        .max(1);
    let up = Scale::new((0.0, f64::from(most)), (MIDDLE, TOP));
    let down = Scale::new((0.0, f64::from(most)), (MIDDLE, BOTTOM));
    gaps(h, &coverage.weeks, &calendar);
    for (value, text) in up.ticks(2) {
        for scale in [&up, &down] {
            let y = scale.at(value);
            rule(h, "grid", (LEFT, y), (RIGHT, y));
            label(h, LEFT - 5.0, y + 3.5, "e", &text);
        }
    }
    bars(h, &coverage.weeks, &calendar, &up, &down);
    rule(h, "axis", (LEFT, MIDDLE), (RIGHT, MIDDLE));
    label(h, LEFT + 2.0, 10.0, "key p", strings::PERSON_UP);
    label(h, LEFT + 2.0, BOTTOM + 13.0, "key s", strings::SYSTEM_DOWN);
    ribbon(h, &stretches(&coverage.weeks), &calendar);
    months(h, &calendar, RIBBON + 16.0);
}

fn gaps(h: &mut Html, weeks: &[WeekCoverage], calendar: &Calendar) {
    let mut path = Path::default();
    for w in weeks
        .iter()
        .filter(|w| w.person_messages == 0 && w.system_messages == 0)
    {
        path.rect(calendar.left(w.week), TOP, calendar.slot(), BOTTOM - TOP);
    }
    path.draw(h, "gap");
}

fn bars(h: &mut Html, weeks: &[WeekCoverage], calendar: &Calendar, up: &Scale, down: &Scale) {
    let (mut person, mut system) = (Path::default(), Path::default());
    let width = calendar.slot() * 0.8;
    for w in weeks {
        let x = calendar.left(w.week) + calendar.slot() * 0.1;
        if w.person_messages > 0 {
            let y = up.at(f64::from(w.person_messages));
            person.rect(x, y, width, MIDDLE - y);
        }
        if w.system_messages > 0 {
            let y = down.at(f64::from(w.system_messages));
            system.rect(x, MIDDLE, width, y - MIDDLE);
        }
    }
    person.draw(h, "bar p");
    system.draw(h, "bar s");
}

fn ribbon(h: &mut Html, stretches: &[Stretch], calendar: &Calendar) {
    for (s, colour) in stretches.iter().zip(RIBBONS.iter().cycle()) {
        let (x, end) = (
            calendar.left(s.first),
            calendar.left(s.last) + calendar.slot(),
        );
        let mut path = Path::default();
        path.rect(x, RIBBON, end - x, 16.0);
        let class = if s.system.is_none() {
            "ribbon none"
        } else {
            colour
        };
        path.draw(h, class);
        let name = s.system.as_deref().unwrap_or(strings::NOT_RECORDED);
        label(h, x + 4.0, RIBBON + 11.5, "in", &fit(name, end - x - 6.0));
    }
    label(h, LEFT - 5.0, RIBBON + 11.5, "e", strings::VERSION);
}

const RIBBONS: [&str; 4] = ["ribbon v0", "ribbon v1", "ribbon v2", "ribbon v3"];

/// Writes what was read: the sums in the open, the tables folded, warnings in the open.
pub(crate) fn write_import(h: &mut Html, import: &Import<'_>) {
    h.el("section", &[("class", "import")], |h| {
        h.leaf("h2", &[], strings::IMPORT);
        let units = &import.accounting.units;
        let skipped = units.skipped.values().sum();
        let counts = (&*count(units.seen), &*count(units.parsed), &*count(skipped));
        let adds_up = import.accounting.balances();
        h.leaf("p", &[], &strings::import_sentence(counts, adds_up));
        if !import.warnings.is_empty() {
            h.el("ul", &[("class", "warnings")], |h| {
                for warning in import.warnings {
                    h.leaf("li", &[], &strings::warning(warning));
                }
            });
        }
        h.el("details", &[("class", "data")], |h| {
            h.leaf("summary", &[], strings::ACCOUNTING_AND_SOURCES);
            h.el("div", &[("class", "columns")], |h| {
                h.el("div", &[("class", "scroll")], |h| {
                    levels(import.accounting).write(h)
                });
                h.el("div", &[("class", "scroll")], |h| sources(import).write(h));
            });
        });
    });
    h.line();
}

fn sources(import: &Import<'_>) -> Table {
    Table {
        caption: strings::SOURCES.to_owned(),
        head: strings::SOURCES_HEAD
            .iter()
            .map(|s| (*s).to_owned())
            .collect(),
        rows: import
            .sources
            .iter()
            .map(|s| vec![s.name.clone(), s.format.clone()])
            .collect(),
    }
}

fn levels(accounting: &Accounting) -> Table {
    let mut rows = Vec::new();
    let levels = [
        (strings::LEVEL_FILES, &accounting.members),
        (strings::LEVEL_CONVERSATIONS, &accounting.containers),
        (strings::LEVEL_MESSAGES, &accounting.units),
        (strings::LEVEL_SWIPES, &accounting.swipes),
    ];
    for (name, level) in levels.into_iter().filter(|(_, l)| l.seen > 0) {
        push_level(&mut rows, name, level);
    }
    for (field, (kinds, times)) in unknown_fields(accounting) {
        rows.push(vec![
            strings::unknown_values(&field, kinds),
            count(times),
            String::new(),
            String::new(),
        ]);
    }
    for (note, n) in &accounting.notes {
        rows.push(vec![
            strings::note(note),
            count(*n),
            String::new(),
            String::new(),
        ]);
    }
    Table {
        caption: strings::ACCOUNTING.to_owned(),
        head: strings::ACCOUNTING_HEAD
            .iter()
            .map(|s| (*s).to_owned())
            .collect(),
        rows,
    }
}

fn push_level(rows: &mut Vec<Vec<String>>, name: &str, level: &Level) {
    let skipped: u64 = level.skipped.values().sum();
    rows.push(vec![
        name.to_owned(),
        count(level.seen),
        count(level.parsed),
        count(skipped),
    ]);
    for (reason, n) in &level.skipped {
        rows.push(vec![
            strings::skipped(reason.word()),
            String::new(),
            String::new(),
            count(*n),
        ]);
    }
}

/// Unknown values by field. The values themselves stay out of the page: they come from the file,
/// and could be words of a person.
fn unknown_fields(accounting: &Accounting) -> std::collections::BTreeMap<String, (u32, u64)> {
    let mut fields = std::collections::BTreeMap::<String, (u32, u64)>::new();
    for (key, n) in &accounting.unknown {
        let field = key.split(" \"").next().unwrap_or_default();
        let entry = fields.entry(field.to_owned()).or_default();
        entry.0 += 1;
        entry.1 += n;
    }
    fields
}
