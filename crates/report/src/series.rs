//! One panel per series: the raw weeks, the fitted course, and the verdict with its numbers.

use driftlead_drift::{Band, Course, Verdict, Word};
use driftlead_metrics::{Measure, Series};
use driftlead_record::Week;

use crate::coverage::{span, version_changes};
use crate::figure::{Figure, Table};
use crate::html::Html;
use crate::num::{bare, count, difference_unit, factor, interval_text, sig3, unit};
use crate::plot::{Calendar, Dots, Path, Scale, label, months, rule};
use crate::strings;

/// Panels shown open; the rest stand behind a summary.
const OPEN: usize = 12;
const WIDTH: u32 = 400;
const HEIGHT: u32 = 172;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 394.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 148.0;

/// Writes the panels of a course.
pub(crate) fn write(h: &mut Html, course: &Course, mark: Option<&str>) {
    let Some((first, last)) = span(&course.coverage) else {
        return;
    };
    let calendar = Calendar::new(first, last, LEFT, RIGHT);
    let events = version_changes(&course.coverage.weeks);
    let judged = course.lines.iter().map(|l| (&l.series, Some(&l.verdict)));
    let shown = course.shown.iter().map(|s| (s, None));
    let all: Vec<Subject<'_>> = judged.chain(shown).collect();
    let panel = |h: &mut Html, &(series, verdict): &Subject<'_>| {
        let domain = shared_domain(&all, (series, verdict));
        Panel {
            series,
            verdict,
            domain,
            calendar,
            events: &events,
            delta: course.delta_sd,
            mark,
        }
        .write(h);
    };
    let (judged, shown) = all.split_at(course.lines.len());
    let (open, rest) = judged.split_at(judged.len().min(OPEN));
    let folded = |h: &mut Html, summary: &str, panels: &[Subject<'_>]| {
        if panels.is_empty() {
            return;
        }
        h.el("details", &[("class", "more")], |h| {
            h.leaf("summary", &[], summary);
            h.el("div", &[("class", "panels")], |h| {
                panels.iter().for_each(|subject| panel(h, subject))
            });
        });
    };
    h.el("div", &[("class", "panels")], |h| {
        open.iter().for_each(|subject| panel(h, subject))
    });
    folded(h, &strings::more_counts(rest.len()), rest);
    folded(h, &strings::shown_counts(shown.len()), shown);
}

/// A series and, where it is judged, its verdict.
type Subject<'a> = (&'a Series, Option<&'a Verdict>);

/// Writes glyph and word.
pub(crate) fn chip(h: &mut Html, word: Word, delta: f64) {
    let class = match word {
        Word::Moved => "chip moved",
        Word::NoMovement => "chip still",
        Word::CannotTell => "chip unsure",
        Word::NotComparable => "chip other",
    };
    h.el("span", &[("class", class)], |h| {
        h.leaf(
            "i",
            &[("aria-hidden", "true")],
            word.glyph().encode_utf8(&mut [0; 4]),
        );
        h.text(&word.label(delta));
    });
}

/// Range of the values of one series: every dot, and the band and the range of the first weeks as
/// far as they do not dwarf the dots.
fn domain(series: &Series, verdict: Option<&Verdict>) -> Option<(f64, f64)> {
    let values = series
        .points
        .iter()
        .map(|p| p.value)
        .filter(|v| v.is_finite());
    let (mut low, mut high) = values.fold(None, |acc: Option<(f64, f64)>, v| match acc {
        None => Some((v, v)),
        Some((l, h)) => Some((l.min(v), h.max(v))),
    })?;
    let room = (high - low) * 0.35;
    let positive = series.measure != Measure::Typical || low >= 0.0;
    let floor = if positive {
        (low - room).max(0.0)
    } else {
        low - room
    };
    let ceiling = if series.measure == Measure::Share {
        (high + room).min(1.0)
    } else {
        high + room
    };
    let band = verdict
        .iter()
        .flat_map(|v| &v.band)
        .flat_map(|b| [b.low, b.high]);
    let own = verdict
        .iter()
        .flat_map(|v| &v.baseline)
        .flat_map(|b| [b.low, b.high]);
    for v in band.chain(own).filter(|v| v.is_finite()) {
        low = low.min(v.max(floor));
        high = high.max(v.min(ceiling));
    }
    if positive && low < high * 0.4 {
        low = 0.0;
    }
    Some((low, if high > low { high } else { low + 1.0 }))
}

/// One scale for all series of the same metric and unit, where their ranges are alike (within a
/// factor of three); else the series' own, so that small counts are not pressed flat.
fn shared_domain(all: &[Subject<'_>], (series, verdict): Subject<'_>) -> Option<(f64, f64)> {
    let own = domain(series, verdict)?;
    let family: Vec<(f64, f64)> = all
        .iter()
        .filter(|(s, _)| s.metric == series.metric && s.unit == series.unit)
        .filter_map(|(s, v)| domain(s, *v))
        .collect();
    let all = family.iter().fold(own, |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let alike = family.iter().all(|d| (all.1 - all.0) <= 3.0 * (d.1 - d.0));
    Some(if alike { all } else { own })
}

struct Panel<'a> {
    series: &'a Series,
    verdict: Option<&'a Verdict>,
    domain: Option<(f64, f64)>,
    calendar: Calendar,
    events: &'a [Week],
    delta: f64,
    mark: Option<&'a str>,
}

impl Panel<'_> {
    fn write(&self, h: &mut Html) {
        let (series, verdict) = (self.series, self.verdict);
        h.el("article", &[("class", "panel")], |h| {
            h.el("header", &[], |h| {
                h.leaf("h4", &[], &strings::capital(series.name));
                h.leaf(
                    "p",
                    &[("class", "unit")],
                    &strings::unit_and_side(&unit(series), series.side),
                );
                if let Some(verdict) = verdict {
                    chip(h, verdict.word, self.delta);
                }
            });
            let sentence = verdict.map_or_else(
                || strings::shown_sentence(series),
                |v| strings::panel_sentence(series, v, self.delta),
            );
            let figure = Figure {
                title: series.name,
                sentence: &sentence,
                width: WIDTH,
                height: HEIGHT,
                label: self.mark,
            };
            figure.draw(h, &self.table(), |h| self.plot(h));
            facts(h, series, verdict);
        });
    }

    fn plot(&self, h: &mut Html) {
        let Some(domain) = self.domain else {
            label(
                h,
                (LEFT + RIGHT) / 2.0,
                (TOP + BOTTOM) / 2.0,
                "m",
                strings::NO_WEEKS,
            );
            return;
        };
        let y = Scale::new(domain, (BOTTOM, TOP));
        self.own_range(h, &y);
        let k = factor(self.series);
        let printed = Scale::new((domain.0 * k, domain.1 * k), (BOTTOM, TOP));
        for (value, text) in printed.ticks(4) {
            let at = printed.at(value);
            rule(h, "grid", (LEFT, at), (RIGHT, at));
            label(h, LEFT - 5.0, at + 3.5, "e", &text);
        }
        rule(h, "axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
        months(h, &self.calendar, BOTTOM);
        events(h, self.events, &self.calendar, TOP, BOTTOM);
        self.course(h, &y);
        self.dots(h, &y);
    }

    fn band(&self) -> &[Band] {
        self.verdict.map_or(&[], |v| &v.band)
    }

    fn own_range(&self, h: &mut Html, y: &Scale) {
        let Some(b) = self.verdict.and_then(|v| v.baseline.as_ref()) else {
            return;
        };
        let mut range = Path::default();
        range.rect(LEFT, y.at(b.high), RIGHT - LEFT, y.at(b.low) - y.at(b.high));
        range.draw(h, "own");
        let mut bracket = Path::default();
        let end = self.calendar.left(b.last) + self.calendar.slot();
        bracket.to(self.calendar.left(b.first), BOTTOM);
        bracket.line(end, BOTTOM);
        bracket.draw(h, "bracket");
    }

    fn course(&self, h: &mut Html, y: &Scale) {
        let (mut area, mut line) = (Path::default(), Path::default());
        for run in runs(self.band()) {
            ribbon(&mut area, run, &self.calendar, y);
            trace(&mut line, run, &self.calendar, y);
        }
        area.draw(h, "band");
        line.draw(h, "fit");
    }

    fn dots(&self, h: &mut Html, y: &Scale) {
        let points = &self.series.points;
        let typical = median(points.iter().map(|p| p.den));
        let base = (self.calendar.slot() * 0.9).clamp(2.4, 5.0);
        let mut dots = Dots::default();
        for p in points.iter().filter(|p| p.value.is_finite()) {
            let size = if typical > 0.0 {
                (p.den / typical).sqrt()
            } else {
                1.0
            };
            let diameter = (base * size).clamp(1.5, 2.0 * base);
            dots.add(self.calendar.mid(p.week), y.at(p.value), diameter);
        }
        dots.draw(h, "dots");
    }

    fn table(&self) -> Table {
        let series = self.series;
        let band = self.band();
        let rows = series.points.iter().map(|p| {
            let fitted = band.iter().find(|b| b.week == p.week);
            let (fit, range) = fitted.map_or_else(Default::default, |b| {
                (
                    bare(series, b.fit),
                    strings::range(&bare(series, b.low), &bare(series, b.high)),
                )
            });
            vec![
                p.week.date(),
                bare(series, p.value),
                count(p.den.max(0.0).round() as u64),
                fit,
                range,
            ]
        });
        Table {
            caption: strings::panel_caption(series.name, &unit(series)),
            head: strings::PANEL_HEAD
                .iter()
                .map(|s| (*s).to_owned())
                .collect(),
            rows: rows.collect(),
        }
    }
}

/// Runs of weeks without a gap between them.
fn runs(band: &[Band]) -> impl Iterator<Item = &[Band]> {
    band.chunk_by(|a, b| b.week.0 - a.week.0 == 1)
}

/// A lone week is drawn half a week wide to each side, so that it shows.
fn edges(run: &[Band], calendar: &Calendar) -> Vec<(f64, Band)> {
    match run {
        [only] => {
            let half = calendar.slot() * 0.5;
            let mid = calendar.mid(only.week);
            vec![(mid - half, *only), (mid + half, *only)]
        }
        _ => run.iter().map(|b| (calendar.mid(b.week), *b)).collect(),
    }
}

fn ribbon(path: &mut Path, run: &[Band], calendar: &Calendar, y: &Scale) {
    let edges = edges(run, calendar);
    let top = edges.iter().map(|(x, b)| (*x, y.at(b.high)));
    let bottom = edges.iter().rev().map(|(x, b)| (*x, y.at(b.low)));
    path.polyline(top.chain(bottom));
    path.close();
}

fn trace(path: &mut Path, run: &[Band], calendar: &Calendar, y: &Scale) {
    path.polyline(edges(run, calendar).iter().map(|(x, b)| (*x, y.at(b.fit))));
}

/// Dashed lines at changes of the system version, numbered as in the table of steps.
fn events(h: &mut Html, weeks: &[Week], calendar: &Calendar, top: f64, bottom: f64) {
    let mut last_label = f64::MIN;
    for (i, week) in weeks.iter().enumerate() {
        let x = calendar.left(*week);
        rule(h, "event", (x, top - 6.0), (x, bottom));
        if x - last_label > 14.0 {
            label(h, x, top - 9.0, "m", &(i + 1).to_string());
            last_label = x;
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut v: Vec<f64> = values.filter(|x| x.is_finite()).collect();
    v.sort_by(f64::total_cmp);
    v.get(v.len() / 2).copied().unwrap_or(0.0)
}

/// The numbers beside a panel, one aligned row each.
fn facts(h: &mut Html, series: &Series, verdict: Option<&Verdict>) {
    h.el("dl", &[], |h| {
        let mut row = |name: &str, text: &str| {
            h.leaf("dt", &[], name);
            h.leaf("dd", &[], text);
        };
        let k = factor(series);
        if let Some(verdict) = verdict {
            if let Some(reason) = verdict.reason {
                row(strings::WHY, strings::reason(reason));
            }
            if let Some(c) = &verdict.change {
                let natural = interval_text(c.estimate * k, c.low * k, c.high * k);
                row(
                    strings::CHANGE,
                    &strings::with_unit(&natural, difference_unit(series)),
                );
                let own = interval_text(c.estimate_sd, c.low_sd, c.high_sd);
                row("", &strings::with_unit(&own, strings::OWN_SD));
            }
            match (verdict.smallest_visible, verdict.smallest_visible_sd) {
                (Some(natural), Some(sd)) => row(
                    strings::SMALLEST,
                    &strings::smallest(&sig3(natural * k), difference_unit(series), &sig3(sd)),
                ),
                _ => row(strings::SMALLEST, strings::NOT_MEASURED),
            }
        }
        let weeks = verdict.map_or(series.points.len() as u32, |v| v.weeks);
        let n: f64 = series.points.iter().map(|p| p.den).sum();
        row(
            strings::RESTS_ON,
            &strings::weeks_and_n(weeks, series, &count(n.max(0.0).round() as u64)),
        );
        if !series.abstained.is_empty() {
            row(
                strings::NO_VALUE_WEEKS,
                &strings::abstained(&series.abstained),
            );
        }
        if let Some(other) = &series.other_weeks {
            row(
                strings::OTHER_WEEKS,
                &strings::other_weeks(
                    &bare(series, other.observed),
                    &bare(series, other.expected),
                    other,
                ),
            );
        }
        if let Some(verdict) = verdict {
            row(
                strings::READ_AS,
                &strings::rung_and_assumption(verdict.rung, verdict.assumption),
            );
        }
        let hash: String = series.instrument.chars().take(12).collect();
        row(strings::INSTRUMENT, &hash);
    });
}
