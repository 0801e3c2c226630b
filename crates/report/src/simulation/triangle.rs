//! Where people end among three groups: a triangle of small triangles, shaded by how many are there.

use super::heat::{fill, legend, percent, shade};
use crate::html::Html;
use crate::num::decimals;
use crate::plot::{Path, fit, label};

/// Length of a side, its left end, and where it stands.
const LENGTH: f64 = 290.0;
const LEFT: f64 = 95.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = TOP + LENGTH * 0.866;
const DARKEST: f64 = 0.9;
/// Height of the figure.
pub(super) const HEIGHT: u32 = (BOTTOM + 48.0) as u32;

/// Shares of people in the small triangles of a triangle.
#[derive(Debug, Clone)]
pub struct Triangle {
    /// Names of the corners: left, right, top.
    pub corners: [String; 3],
    /// Small triangles along a side.
    pub side: usize,
    /// Least share of each corner, whether the small triangle stands on its tip, and the share of
    /// people in it.
    pub cells: Vec<([f64; 3], bool, f64)>,
}

fn at(shares: [f64; 3]) -> (f64, f64) {
    let [_, right, top] = shares;
    let x = LEFT + LENGTH * (right + top / 2.0);
    (x, BOTTOM - (BOTTOM - TOP) * top)
}

fn shape(corners: [[f64; 3]; 3]) -> Path {
    let mut path = Path::default();
    path.polyline(corners.into_iter().map(at));
    path.close();
    path
}

pub(super) fn draw(h: &mut Html, t: &Triangle) {
    let step = 1.0 / t.side.max(1) as f64;
    for ([a, b, c], turned, share) in &t.cells {
        let (a, b, c) = (*a, *b, *c);
        let corners = if *turned {
            let (p, q) = ([a + step, b + step, c], [a + step, b, c + step]);
            [p, q, [a, b + step, c + step]]
        } else {
            [[a + step, b, c], [a, b + step, c], [a, b, c + step]]
        };
        fill(h, &shape(corners), shade(*share, DARKEST));
    }
    let whole = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let mut grid = Path::default();
    for i in [0.25, 0.5, 0.75] {
        for lines in [
            [[i, 1.0 - i, 0.0], [i, 0.0, 1.0 - i]],
            [[1.0 - i, i, 0.0], [0.0, i, 1.0 - i]],
            [[1.0 - i, 0.0, i], [0.0, 1.0 - i, i]],
        ] {
            grid.polyline(lines.into_iter().map(at));
        }
    }
    grid.draw(h, "frame");
    shape(whole).draw(h, "axis");
    let [left, right, top] = &t.corners;
    label(h, LEFT, BOTTOM + 16.0, "m in", &fit(left, 180.0));
    label(h, LEFT + LENGTH, BOTTOM + 16.0, "m in", &fit(right, 180.0));
    label(h, LEFT + LENGTH / 2.0, TOP - 7.0, "m in", &fit(top, 180.0));
    legend(h, DARKEST, BOTTOM + 30.0);
}

/// The table: the small triangles with most people first.
pub(super) fn table(t: &Triangle) -> (Vec<String>, Vec<Vec<String>>) {
    let step = 1.0 / t.side.max(1) as f64;
    let mut head: Vec<String> = t.corners.to_vec();
    head.push(crate::strings::SHARE_OF_PEOPLE.to_owned());
    let mut cells: Vec<_> = t.cells.iter().collect();
    cells.sort_by(|a, b| b.2.total_cmp(&a.2));
    let row = |(least, _, share): &&([f64; 3], bool, f64)| {
        let range = |x: &f64| {
            let (low, high) = (decimals(100.0 * x, 0), decimals(100.0 * (x + step), 0));
            format!("{low} to {high} %")
        };
        let mut row: Vec<String> = least.iter().map(range).collect();
        row.push(percent(*share));
        row
    };
    (head, cells.iter().map(row).collect())
}
