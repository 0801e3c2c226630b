//! A figure is always an image with a title, a description, and its table right under it.

use crate::html::{Attrs, Html};
use crate::plot::label;
use crate::strings;

/// Wider figures scroll on a narrow screen.
const NARROW: u32 = 500;

/// What every figure says about itself.
pub(crate) struct Figure<'a> {
    /// Short name.
    pub(crate) title: &'a str,
    /// One sentence that says what the figure shows, for people who do not see it.
    pub(crate) sentence: &'a str,
    /// Width of the `viewBox`.
    pub(crate) width: u32,
    /// Height of the `viewBox`.
    pub(crate) height: u32,
    /// Printed in the corner of every figure, such as "synthetic data".
    pub(crate) label: Option<&'a str>,
}

/// A table of text.
pub(crate) struct Table {
    /// What it holds.
    pub(crate) caption: String,
    /// Column headings, with units.
    pub(crate) head: Vec<String>,
    /// Rows; the first cell names the row.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Figure<'_> {
    /// Draws the figure and puts its table under it.
    pub(crate) fn draw(&self, h: &mut Html, table: &Table, inner: impl FnOnce(&mut Html)) {
        let id = h.next_id();
        let (title_id, desc_id) = (format!("t{id}"), format!("d{id}"));
        let wide = self.width > NARROW;
        // A wide figure may be seen from its left end only, so its label stands at both ends.
        let height = self.height + if wide && self.label.is_some() { 14 } else { 0 };
        let view = format!("0 0 {} {height}", self.width);
        // Wide figures keep their text readable on a narrow screen by scrolling inside their own box.
        let widest = if wide {
            self.width + self.width / 10
        } else {
            560
        };
        let least = if wide { self.width.min(900) * 4 / 5 } else { 0 };
        let size = format!("min-width:{least}px;max-width:{widest}px");
        h.el("figure", &[], |h| {
            let attrs: Attrs<'_> = if wide {
                &[("class", "scroll"), ("tabindex", "0")]
            } else {
                &[]
            };
            h.el("div", attrs, |h| {
                let both = format!("{title_id} {desc_id}");
                let attrs = [
                    ("role", "img"),
                    ("aria-labelledby", both.as_str()),
                    ("viewBox", &view),
                    ("style", &size),
                ];
                h.el("svg", &attrs, |h| {
                    h.leaf("title", &[("id", &title_id)], self.title);
                    h.leaf("desc", &[("id", &desc_id)], self.sentence);
                    inner(h);
                    if let Some(text) = self.label {
                        label(h, f64::from(self.width) - 8.0, 9.0, "e mark", text);
                        if wide {
                            label(h, 1.0, f64::from(height) - 4.0, "mark", text);
                        }
                    }
                });
            });
            table.folded(h);
        });
        h.line();
    }
}

impl Table {
    /// The table behind a summary.
    pub(crate) fn folded(&self, h: &mut Html) {
        h.el("details", &[("class", "data")], |h| {
            h.leaf("summary", &[], strings::TABLE);
            h.el("div", &[("class", "scroll")], |h| self.write(h));
        });
    }

    /// The table in the open.
    pub(crate) fn write(&self, h: &mut Html) {
        h.el("table", &[], |h| {
            h.leaf("caption", &[], &self.caption);
            h.el("thead", &[], |h| {
                h.el("tr", &[], |h| {
                    for cell in &self.head {
                        h.leaf("th", &[("scope", "col")], cell);
                    }
                });
            });
            h.el("tbody", &[], |h| {
                for row in &self.rows {
                    h.el("tr", &[], |h| {
                        for (i, cell) in row.iter().enumerate() {
                            h.leaf(if i == 0 { "th" } else { "td" }, &[], cell);
                        }
                    });
                }
            });
        });
        h.line();
    }
}
