//! The plotting module: scales, ticks, paths and dots. Lengths are in the units of a figure's
//! `viewBox`, which is close to one CSS pixel at the usual width.

use std::collections::BTreeMap;
use std::fmt::Write;

use driftlead_record::Week;

use crate::html::Html;
use crate::num::{decimals, px};
use crate::strings;

/// A straight map from values to lengths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Maps `low..=high` to `from..=to`; an empty range is widened, so that every map is defined.
    pub(crate) fn new((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let (low, high) = if high > low {
            (low, high)
        } else {
            (low - 0.5, low + 0.5)
        };
        Scale {
            low,
            high,
            from,
            to,
        }
    }

    /// Where a value lies, held inside the range.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Round numbers inside the range, about `n` of them, with the decimals they need.
    pub(crate) fn ticks(&self, n: u32) -> Vec<(f64, String)> {
        let step = nice_step((self.high - self.low) / f64::from(n.max(1)));
        let places = usize::try_from(-(step.log10() + 1e-9).floor() as i32).unwrap_or(0);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last.min(first + 50))
            .map(|i| i as f64 * step)
            .map(|v| (v, decimals(v, places)))
            .collect()
    }
}

/// The smallest of 1, 2, 5 × a power of ten that is not below `raw`.
fn nice_step(raw: f64) -> f64 {
    let power = 10f64.powi(raw.log10().floor() as i32);
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= raw * 0.999)
        .unwrap_or(power * 10.0)
}

/// The weeks of a history along a figure: each week is a slot of equal width.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendar {
    /// First week.
    pub(crate) first: Week,
    /// Last week.
    pub(crate) last: Week,
    from: f64,
    to: f64,
}

impl Calendar {
    /// Lays `first..=last` over `from..=to`.
    pub(crate) fn new(first: Week, last: Week, from: f64, to: f64) -> Self {
        Calendar {
            first,
            last: last.max(first),
            from,
            to,
        }
    }

    /// Width of one week.
    pub(crate) fn slot(&self) -> f64 {
        (self.to - self.from) / f64::from(self.last.0 - self.first.0 + 1)
    }

    /// Where a week begins.
    pub(crate) fn left(&self, week: Week) -> f64 {
        self.from + f64::from(week.0 - self.first.0) * self.slot()
    }

    /// The middle of a week.
    pub(crate) fn mid(&self, week: Week) -> f64 {
        self.left(week) + self.slot() / 2.0
    }

    /// First days of months, at most about one per `room` of width, with their labels.
    pub(crate) fn months(&self, room: f64) -> Vec<(f64, String)> {
        let days = f64::from((self.last.0 - self.first.0 + 1) * 7);
        let fits = ((self.to - self.from) / room).max(1.0);
        let every = [1, 2, 3, 6, 12, 24, 60]
            .into_iter()
            .find(|m| days / (f64::from(*m) * 30.4) <= fits)
            .unwrap_or(120);
        let (from_day, to_day) = (self.first.monday(), self.last.monday() + 6);
        let Some((year, month)) = year_month(from_day) else {
            return Vec::new();
        };
        let start = year * 12 + i32::from(month) - 1;
        let mut ticks = Vec::new();
        for m in start..start + 2400 {
            let Some(day) = first_of_month(m) else { break };
            if day > to_day {
                break;
            }
            if m % every != 0 || day < from_day {
                continue;
            }
            let x = self.from + f64::from(day - from_day) / days * (self.to - self.from);
            let with_year = ticks.is_empty() || m % 12 == 0;
            ticks.push((
                x,
                strings::month(m % 12, with_year.then_some(m / 12), every >= 12),
            ));
        }
        ticks
    }
}

/// Least distance of two labels of months.
const MONTH_ROOM: f64 = 58.0;
/// About the width of one letter of such a label.
const LETTER: f64 = 6.5;

/// Ticks and labels of months below a figure's axis of time at `bottom`.
///
/// A label that would run over the edge ends at its tick instead, where there is room for it.
pub(crate) fn months(h: &mut Html, calendar: &Calendar, bottom: f64) {
    let mut free = calendar.from;
    for (x, text) in calendar.months(MONTH_ROOM) {
        rule(h, "axis", (x, bottom), (x, bottom + 5.0));
        let width = LETTER * text.chars().count() as f64;
        let (class, from) = if x + width > calendar.to {
            ("e", x - width)
        } else {
            ("", x)
        };
        if from >= free {
            label(h, x, bottom + 17.0, class, &text);
            free = from + width;
        }
    }
}

fn year_month(day: i32) -> Option<(i32, i8)> {
    let date = epoch()
        .checked_add(jiff::Span::new().try_days(i64::from(day)).ok()?)
        .ok()?;
    Some((i32::from(date.year()), date.month()))
}

/// Day number of the first day of a month counted from January of year 0.
fn first_of_month(months: i32) -> Option<i32> {
    let year = i16::try_from(months.div_euclid(12)).ok()?;
    let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
    let date = jiff::civil::Date::new(year, month, 1).ok()?;
    epoch().until(date).ok().map(|span| span.get_days())
}

fn epoch() -> jiff::civil::Date {
    jiff::civil::date(1970, 1, 1)
}

/// The `d` of a path.
#[derive(Debug, Default)]
pub(crate) struct Path(String);

impl Path {
    /// Lifts the pen.
    pub(crate) fn to(&mut self, x: f64, y: f64) {
        self.push('M', &[x, y]);
    }

    /// Draws to a point.
    pub(crate) fn line(&mut self, x: f64, y: f64) {
        self.push('L', &[x, y]);
    }

    /// A line through points, in order.
    pub(crate) fn polyline(&mut self, points: impl Iterator<Item = (f64, f64)>) {
        for (i, (x, y)) in points.enumerate() {
            if i == 0 {
                self.to(x, y);
            } else {
                self.line(x, y);
            }
        }
    }

    /// A box.
    pub(crate) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64) {
        self.to(x, y);
        self.push('h', &[width]);
        self.push('v', &[height]);
        self.push('h', &[-width]);
        self.close();
    }

    /// A dot: a line of no length, which round caps turn into a disc of the stroke's width.
    pub(crate) fn dot(&mut self, x: f64, y: f64) {
        self.to(x, y);
        self.0.push_str("h0");
    }

    /// Back to where the pen was lowered.
    pub(crate) fn close(&mut self) {
        self.0.push('z');
    }

    /// Writes it, unless nothing was drawn.
    pub(crate) fn draw(&self, h: &mut Html, class: &str) {
        self.draw_with(h, class, &[]);
    }

    /// Writes it with further attributes, unless nothing was drawn.
    pub(crate) fn draw_with(&self, h: &mut Html, class: &str, more: &[(&'static str, &str)]) {
        if !self.0.is_empty() {
            let mut attrs = vec![("class", class), ("d", self.0.as_str())];
            attrs.extend(more);
            h.empty("path", &attrs);
        }
    }

    fn push(&mut self, command: char, numbers: &[f64]) {
        self.0.push(command);
        for (i, n) in numbers.iter().enumerate() {
            let separator = if i == 0 { "" } else { " " };
            // Writing to a string cannot fail.
            let _ = write!(self.0, "{separator}{}", px(*n));
        }
    }
}

/// Dots of several sizes, drawn as one path per size.
#[derive(Debug, Default)]
pub(crate) struct Dots(BTreeMap<u32, Path>);

impl Dots {
    /// Adds a dot of a diameter; sizes are rounded to half a unit.
    pub(crate) fn add(&mut self, x: f64, y: f64, diameter: f64) {
        let key = (diameter.clamp(0.5, 20.0) * 2.0).round() as u32;
        self.0.entry(key).or_default().dot(x, y);
    }

    /// Draws them, largest first, so that small ones stay visible.
    pub(crate) fn draw(&self, h: &mut Html, class: &str) {
        for (key, path) in self.0.iter().rev() {
            let width = px(f64::from(*key) / 2.0);
            h.empty(
                "path",
                &[("class", class), ("stroke-width", &width), ("d", &path.0)],
            );
        }
    }
}

/// A line of text; `class` sets its look and its anchor (`e` end, `m` middle).
pub(crate) fn label(h: &mut Html, x: f64, y: f64, class: &str, text: &str) {
    h.leaf(
        "text",
        &[("class", class), ("x", &px(x)), ("y", &px(y))],
        text,
    );
}

/// One straight line.
pub(crate) fn rule(h: &mut Html, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let mut path = Path::default();
    path.to(x1, y1);
    path.line(x2, y2);
    path.draw(h, class);
}

/// Cuts a label to about `width`; the full text stands in the table.
pub(crate) fn fit(text: &str, width: f64) -> String {
    let room = (width / 5.6).max(0.0) as usize;
    if text.chars().count() <= room {
        return text.to_owned();
    }
    if room < 3 {
        return String::new();
    }
    text.chars().take(room - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let s = Scale::new((0.13, 0.98), (0.0, 100.0));
        let labels: Vec<_> = s.ticks(4).into_iter().map(|t| t.1).collect();
        assert_eq!(labels, ["0.5"]);
        let s = Scale::new((0.0, 7.0), (100.0, 0.0));
        let labels: Vec<_> = s.ticks(4).into_iter().map(|t| t.1).collect();
        assert_eq!(labels, ["0", "2", "4", "6"]);
        assert_eq!(s.at(7.0), 0.0);
        assert_eq!(s.at(70.0), 0.0);
    }

    #[test]
    fn an_empty_range_still_maps() {
        let s = Scale::new((3.0, 3.0), (0.0, 10.0));
        assert_eq!(s.at(3.0), 5.0);
    }

    #[test]
    fn months_are_labelled_at_their_first_day() {
        // 2024-12-30 is a Monday.
        let first = Week::of_day(20_087);
        assert_eq!(first.date(), "2024-12-30");
        let c = Calendar::new(first, Week(first.0 + 51), 0.0, 364.0);
        let months = c.months(60.0);
        assert_eq!(months[0], (2.0, "Jan 2025".to_owned()));
        assert_eq!(
            months.iter().map(|m| m.1.as_str()).collect::<Vec<_>>(),
            ["Jan 2025", "Mar", "May", "Jul", "Sep", "Nov"]
        );
    }

    #[test]
    fn a_month_without_room_for_its_name_keeps_its_tick_only() {
        // From Monday 2025-01-06 on; the first of January 2026 lies three days before the edge.
        let first = Week::of_day(20_094);
        let c = Calendar::new(first, Week(first.0 + 51), 40.0, 394.0);
        let mut h = Html::default();
        months(&mut h, &c, 100.0);
        let svg = h.finish();
        assert_eq!(svg.matches("<path").count(), 6);
        assert_eq!(svg.matches("<text").count(), 5);
        assert!(svg.contains(">Nov<") && !svg.contains(">Jan 2026<"));
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(fit("gpt-4o", 100.0), "gpt-4o");
        assert_eq!(fit("a-very-long-name", 40.0), "a-very…");
        assert_eq!(fit("a-very-long-name", 10.0), "");
    }
}
