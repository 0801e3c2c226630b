//! A table of shares as shaded cells: people by two things.

use super::{BOTTOM, LEFT, RIGHT, TOP};
use crate::html::Html;
use crate::num::decimals;
use crate::plot::{Path, label};

/// Room for the names of rows.
const NAMES: f64 = LEFT;
/// Shades of the legend.
const LEGEND: [f64; 5] = [0.001, 0.01, 0.1, 0.5, 1.0];
/// Darkest cell, and darkest one that a number is printed on.
const DARKEST: (f64, f64) = (0.9, 0.5);

/// Shares by row and column.
#[derive(Debug, Clone)]
pub struct Heat {
    /// What the columns are.
    pub x: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// What the rows are.
    pub y: String,
    /// Names of the rows from below, or of their edges if there is one more; empty ones are left out.
    pub rows: Vec<String>,
    /// Names of the rows in the table.
    pub table_rows: Vec<String>,
    /// Share from 0 to 1 and its standard error, by row from below and column.
    pub cells: Vec<Vec<(f64, f64)>>,
    /// Whether the shares are printed in the cells, with a line where they pass this one.
    pub line: Option<f64>,
}

/// How dark a share is: by its root, so that few people can be seen beside many.
pub(super) fn shade(share: f64, darkest: f64) -> f64 {
    darkest * share.clamp(0.0, 1.0).sqrt()
}

/// A filled shape of a shade.
pub(super) fn fill(h: &mut Html, path: &Path, opacity: f64) {
    path.draw_with(h, "heat", &[("fill-opacity", &decimals(opacity, 3))]);
}

pub(super) fn draw(h: &mut Html, heat: &Heat) {
    let (rows, columns) = (heat.cells.len(), heat.columns.len());
    let (width, height) = (
        (RIGHT - NAMES) / columns.max(1) as f64,
        (BOTTOM - TOP) / rows.max(1) as f64,
    );
    let darkest = match heat.line {
        Some(_) => DARKEST.1,
        None => DARKEST.0,
    };
    let left = |c: usize| NAMES + width * c as f64;
    let top = |r: usize| BOTTOM - height * (r + 1) as f64;
    let share = |r: usize, c: usize| heat.cells.get(r).and_then(|row| row.get(c));
    for (r, row) in heat.cells.iter().enumerate() {
        for (c, (p, _)) in row.iter().enumerate() {
            if *p > 0.0 {
                let mut cell = Path::default();
                cell.rect(left(c), top(r), width, height);
                fill(h, &cell, shade(*p, darkest));
            }
            if heat.line.is_some() {
                let at = (left(c) + width / 2.0, top(r) + height / 2.0 + 4.0);
                label(h, at.0, at.1, "m in", &percent(*p));
            }
        }
    }
    frame(h);
    if let Some(line) = heat.line {
        let mut border = Path::default();
        let passes = |a: Option<&(f64, f64)>, b: Option<&(f64, f64)>| match (a, b) {
            (Some(a), Some(b)) => (a.0 < line) != (b.0 < line),
            _ => false,
        };
        for r in 0..rows {
            for c in 0..columns {
                if passes(share(r, c), share(r, c + 1)) {
                    border.to(left(c + 1), top(r));
                    border.line(left(c + 1), top(r) + height);
                }
                if passes(share(r, c), share(r + 1, c)) {
                    border.to(left(c), top(r));
                    border.line(left(c) + width, top(r));
                }
            }
        }
        border.draw(h, "iv strong");
    }
    let is_edges = heat.rows.len() == rows + 1;
    for (r, name) in heat.rows.iter().enumerate() {
        let middle = if is_edges { 0.0 } else { height / 2.0 };
        let at = BOTTOM - height * r as f64 - middle;
        label(h, NAMES - 5.0, at + 3.5, "e", name);
    }
    for (c, name) in heat.columns.iter().enumerate() {
        label(h, left(c) + width / 2.0, BOTTOM + 14.0, "m", name);
    }
    label(h, (NAMES + RIGHT) / 2.0, BOTTOM + 29.0, "m", &heat.x);
    label(h, 1.0, 9.0, "", &heat.y);
    legend(h, darkest, BOTTOM + 36.0);
}

fn frame(h: &mut Html) {
    let mut around = Path::default();
    around.rect(NAMES, TOP, RIGHT - NAMES, BOTTOM - TOP);
    around.draw(h, "frame");
}

/// Shades and what they mean, in one line.
pub(super) fn legend(h: &mut Html, darkest: f64, top: f64) {
    let step = 62.0;
    for (i, share) in LEGEND.into_iter().enumerate() {
        let x = NAMES + step * i as f64;
        let mut swatch = Path::default();
        swatch.rect(x, top, 14.0, 10.0);
        fill(h, &swatch, shade(share, darkest));
        swatch.draw(h, "frame");
        label(h, x + 18.0, top + 9.0, "", &percent(share));
    }
    let after = NAMES + step * LEGEND.len() as f64;
    label(h, after, top + 9.0, "", crate::strings::OF_PEOPLE);
}

/// A share in percent with the decimals that it needs.
pub(super) fn percent(share: f64) -> String {
    let p = 100.0 * share;
    let places = if p > 0.0 && p < 9.95 { 1 } else { 0 };
    format!("{} %", decimals(p, places))
}

/// The table: one row per row from above, one column per column.
pub(super) fn table(heat: &Heat) -> (Vec<String>, Vec<Vec<String>>) {
    let mut head = vec![format!("{} ↓ {} →", heat.y, heat.x)];
    head.extend(heat.columns.iter().cloned());
    let has_error = heat.cells.iter().flatten().any(|(_, se)| *se > 0.0);
    let cell = |(p, se): &(f64, f64)| match has_error {
        true => format!("{} ± {} %", decimals(100.0 * p, 1), decimals(100.0 * se, 1)),
        false => format!("{} %", decimals(100.0 * p, 2)),
    };
    let row = |(name, cells): (&String, &Vec<(f64, f64)>)| {
        let mut row = vec![name.clone()];
        row.extend(cells.iter().map(cell));
        row
    };
    let rows = heat.table_rows.iter().zip(&heat.cells).rev().map(row);
    (head, rows.collect())
}
