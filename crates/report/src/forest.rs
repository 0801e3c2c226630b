//! Estimates with their intervals in own SDs, one row each, on one scale.

use crate::figure::{Figure, Table};
use crate::html::Html;
use crate::input::Interval;
use crate::num::{interval_text, px};
use crate::plot::{Dots, Path, Scale, fit, label, rule};
use crate::strings;

const WIDTH: u32 = 700;
const GLYPH: f64 = 222.0;
const PLOT: (f64, f64) = (238.0, 536.0);
const TOP: f64 = 24.0;
const ROW: f64 = 19.0;

/// One row of the figure.
pub(crate) struct Row {
    /// What it is about; rows of one name that follow each other share the label.
    pub(crate) name: String,
    /// Glyph of the verdict, where there is one.
    pub(crate) glyph: Option<char>,
    /// In own SDs.
    pub(crate) interval: Interval,
    /// Look: `strong`, `weak`, `planted`, `unchanged`.
    pub(crate) class: &'static str,
}

/// A figure of intervals.
pub(crate) struct Forest<'a> {
    /// Short name.
    pub(crate) title: &'a str,
    /// One sentence.
    pub(crate) sentence: &'a str,
    /// Printed in the corner.
    pub(crate) label: Option<&'a str>,
    /// Half the width of the grey band of "no movement", own SDs.
    pub(crate) delta: f64,
    /// The rows.
    pub(crate) rows: Vec<Row>,
}

impl Forest<'_> {
    /// Draws it with its table.
    pub(crate) fn draw(&self, h: &mut Html, table: &Table) {
        let bottom = TOP + ROW * self.rows.len() as f64 + 4.0;
        let figure = Figure {
            title: self.title,
            sentence: self.sentence,
            width: WIDTH,
            height: (bottom + 34.0) as u32,
            label: self.label,
        };
        figure.draw(h, table, |h| {
            let x = self.scale();
            self.frame(h, &x, bottom);
            let mut last = "";
            for (i, row) in self.rows.iter().enumerate() {
                let y = TOP + ROW * (i as f64 + 0.5);
                self.row(h, row, &x, y, row.name == last);
                last = &row.name;
            }
        });
    }

    fn scale(&self) -> Scale {
        let ends = self
            .rows
            .iter()
            .flat_map(|r| [r.interval.low, r.interval.high]);
        let finite = ends.filter(|v| v.is_finite());
        let (low, high) = finite.fold((-self.delta, self.delta), |(l, h), v| (l.min(v), h.max(v)));
        let room = (high - low) * 0.04;
        Scale::new((low - room, high + room), PLOT)
    }

    fn frame(&self, h: &mut Html, x: &Scale, bottom: f64) {
        let mut margin = Path::default();
        let left = x.at(-self.delta);
        margin.rect(left, TOP - 4.0, x.at(self.delta) - left, bottom - TOP + 4.0);
        margin.draw(h, "own");
        for (value, text) in x.ticks(6) {
            let at = x.at(value);
            rule(
                h,
                if value == 0.0 { "zero" } else { "grid" },
                (at, TOP - 4.0),
                (at, bottom),
            );
            label(h, at, bottom + 14.0, "m", &text);
        }
        label(
            h,
            (PLOT.0 + PLOT.1) / 2.0,
            bottom + 29.0,
            "m",
            strings::OWN_SD_AXIS,
        );
    }

    fn row(&self, h: &mut Html, row: &Row, x: &Scale, y: f64, repeated: bool) {
        if !repeated {
            label(h, 1.0, y + 4.0, "in", &fit(&row.name, GLYPH - 16.0));
            rule(
                h,
                "grid",
                (0.0, y - ROW / 2.0),
                (f64::from(WIDTH), y - ROW / 2.0),
            );
        }
        if let Some(glyph) = row.glyph {
            label(h, GLYPH, y + 4.0, "m in", &glyph.to_string());
        }
        let class = format!("iv {}", row.class);
        let v = &row.interval;
        rule(h, &class, (x.at(v.low), y), (x.at(v.high), y));
        let mut dot = Dots::default();
        dot.add(x.at(v.estimate), y, 7.0);
        dot.draw(h, &format!("{class} dot"));
        let text = interval_text(v.estimate, v.low, v.high);
        h.leaf(
            "text",
            &[("class", "in"), ("x", "550"), ("y", &px(y + 4.0))],
            &text,
        );
    }
}
