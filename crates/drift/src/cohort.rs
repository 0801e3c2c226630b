//! Many people at once: slow change that single histories cannot show.

use std::collections::BTreeMap;

use driftlead_stats::series::t_quantile;
use serde::Serialize;

use crate::{Course, Word};

/// One series over a cohort.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CohortRow {
    /// Series id.
    pub id: &'static str,
    /// What is counted.
    pub name: &'static str,
    /// People with an estimate.
    pub people: u32,
    /// Mean over people of their own change, in own SDs.
    pub mean_sd: f64,
    /// Simultaneous interval over all rows of the table.
    pub low_sd: f64,
    /// Upper end.
    pub high_sd: f64,
    /// Mean change that a cohort like this shows in 4 of 5 cases, in own SDs.
    pub smallest_visible_sd: f64,
    /// People whose own verdict is "moved".
    pub moved: u32,
    /// … "no movement".
    pub no_movement: u32,
    /// … "cannot tell".
    pub cannot_tell: u32,
    /// … "not comparable".
    pub not_comparable: u32,
    /// Each person's estimate in own SDs, in the order of the courses.
    pub estimates_sd: Vec<f64>,
}

/// A cohort's table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cohort {
    /// People.
    pub people: u32,
    /// One row per series.
    pub rows: Vec<CohortRow>,
    /// Family-wise error over all rows.
    pub alpha: f64,
    /// People for whom at least one series moved.
    pub any_moved: u32,
}

#[derive(Default)]
struct Tally {
    name: &'static str,
    order: usize,
    estimates: Vec<f64>,
    words: [u32; 4],
}

/// Sums up the courses of many people, one per person.
///
/// The mean of the people's own changes has a Student-t interval whose variance is the variance
/// *between* their estimates, so it holds whatever mixture of noise and true differences made them;
/// the assumption is that people are independent of each other.
pub fn cohort<'a>(courses: impl IntoIterator<Item = &'a Course>, alpha: f64) -> Cohort {
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    let (mut people, mut any_moved) = (0, 0);
    for course in courses {
        people += 1;
        any_moved += u32::from(course.lines.iter().any(|l| l.verdict.word == Word::Moved));
        for (order, line) in course.lines.iter().enumerate() {
            let tally = tallies.entry(line.series.id).or_default();
            tally.name = line.series.name;
            tally.order = order;
            tally.words[line.verdict.word as usize] += 1;
            if let Some(change) = line.verdict.change {
                tally.estimates.push(change.estimate_sd);
            }
        }
    }
    let family = tallies
        .values()
        .filter(|t| t.estimates.len() > 2)
        .count()
        .max(1);
    let each = alpha / family as f64;
    let mut rows: Vec<(usize, CohortRow)> = tallies
        .into_iter()
        .filter_map(|(id, t)| Some((t.order, row(id, t, each)?)))
        .collect();
    rows.sort_by_key(|(order, _)| *order);
    Cohort {
        people,
        rows: rows.into_iter().map(|(_, r)| r).collect(),
        alpha,
        any_moved,
    }
}

fn row(id: &'static str, tally: Tally, alpha: f64) -> Option<CohortRow> {
    let n = tally.estimates.len();
    if n < 3 {
        return None;
    }
    let mean = tally.estimates.iter().sum::<f64>() / n as f64;
    let square = tally
        .estimates
        .iter()
        .map(|e| (e - mean).powi(2))
        .sum::<f64>();
    let se = (square / (n - 1) as f64 / n as f64).sqrt();
    let t = t_quantile(n - 1, 1.0 - alpha / 2.0);
    let [moved, no_movement, cannot_tell, not_comparable] = tally.words;
    Some(CohortRow {
        id,
        name: tally.name,
        people: u32::try_from(n).unwrap_or(u32::MAX),
        mean_sd: mean,
        low_sd: mean - t * se,
        high_sd: mean + t * se,
        smallest_visible_sd: (t + t_quantile(n - 1, 0.8)) * se,
        moved,
        no_movement,
        cannot_tell,
        not_comparable,
        estimates_sd: tally.estimates,
    })
}
