//! The demo's two groups, as tables and as a figure.

use driftlead_drift::{Cohort, CohortRow, Course, Line, Options, cohort};
use driftlead_report::{Interval, PersonLine, Shares};
use serde::Serialize;

use super::Measured;

/// Series that the demo shows: the two with a planted change, and two that nothing was done to.
pub(super) const SHOWN: [&str; 4] = [
    "friend_like",
    "praise_agree.share",
    "questions.per_reply",
    "small_words.i",
];

/// People with, or without, a planted change.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    /// Whether a change was planted.
    pub(super) changed: bool,
    /// Mean planted change of the friend-like lines, in own SDs; 0 for the others.
    pub(super) planted_friend_like_sd: f64,
    /// Mean planted change of praise and agreement, in own SDs; 0 for the others.
    pub(super) planted_agreement_sd: f64,
    /// What the verdicts say.
    pub(super) cohort: Cohort,
}

impl Group {
    pub(super) fn title(&self) -> String {
        let people = self.cohort.people;
        if self.changed {
            format!(
                "{people} people with a planted change (truth: friend-like lines {:+.2} SD, praise or \
                 agreement {:+.2} SD)",
                self.planted_friend_like_sd, self.planted_agreement_sd
            )
        } else {
            format!("{people} people without (truth: 0)")
        }
    }

    /// What was planted into a series, in words.
    fn planted(&self, id: &str) -> Option<String> {
        let sd = match id {
            "friend_like" => self.planted_friend_like_sd,
            "praise_agree.share" => self.planted_agreement_sd,
            _ => 0.0,
        };
        (self.changed && sd > 0.0).then(|| format!("{sd:+.2} own SD on average"))
    }
}

/// The changed people, then the others; a group without people is left out.
pub(super) fn groups(people: &[Measured], alpha: f64) -> Vec<Group> {
    [true, false]
        .into_iter()
        .filter(|&changed| people.iter().any(|p| p.truth.changed == changed))
        .map(|changed| {
            let members = || people.iter().filter(move |p| p.truth.changed == changed);
            let n = members().count() as f64;
            Group {
                changed,
                planted_friend_like_sd: members()
                    .map(|p| p.truth.friend_like.change_sd)
                    .sum::<f64>()
                    / n,
                planted_agreement_sd: members().map(|p| p.truth.agreement.change_sd).sum::<f64>()
                    / n,
                cohort: cohort(members().map(|p| &p.course), alpha),
            }
        })
        .collect()
}

/// Whether any group's mean moved.
pub(super) fn has_moved(groups: &[Group]) -> bool {
    let mut rows = groups.iter().flat_map(|g| &g.cohort.rows);
    rows.any(|r| r.low_sd > 0.0 || r.high_sd < 0.0)
}

/// The figure of the page.
pub(super) fn figure(
    people: &[Measured],
    groups: &[Group],
    options: &Options,
) -> driftlead_report::Cohort {
    let rows = SHOWN
        .iter()
        .flat_map(|id| groups.iter().map(move |group| (id, group)))
        .filter_map(|(id, group)| {
            let row = group.cohort.rows.iter().find(|r| r.id == *id)?;
            let members = people.iter().filter(|p| p.truth.changed == group.changed);
            Some(driftlead_report::CohortRow {
                name: row.name.to_owned(),
                people: group.cohort.people,
                planted: group.planted(id),
                mean: Interval {
                    estimate: row.mean_sd,
                    low: row.low_sd,
                    high: row.high_sd,
                },
                shares: shares(row),
                lines: members.filter_map(|p| weekly(&p.course, id)).collect(),
            })
        })
        .collect();
    driftlead_report::Cohort {
        people: u32::try_from(people.len()).unwrap_or(u32::MAX),
        delta_sd: options.delta_sd,
        seed: options.seed,
        rows,
    }
}

fn shares(row: &CohortRow) -> Shares {
    let unclear = row.cannot_tell + row.not_comparable;
    let all = f64::from((row.moved + row.no_movement + unclear).max(1));
    Shares {
        moved: f64::from(row.moved) / all,
        no_movement: f64::from(row.no_movement) / all,
        cannot_tell: f64::from(unclear) / all,
    }
}

/// A person's weeks as distances from the level of their own first weeks, in own SDs.
fn weekly(course: &Course, id: &str) -> Option<PersonLine> {
    let Line { series, verdict } = course.lines.iter().find(|l| l.series.id == id)?;
    let (level, sd) = (verdict.baseline?.level, verdict.noise?.sd);
    let points = series
        .points
        .iter()
        .map(|p| (p.week, (p.value - level) / sd))
        .collect();
    (sd > 0.0).then_some(PersonLine(points))
}
