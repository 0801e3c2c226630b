//! From conversations to courses, the same way for an export and for a simulated person.

use std::collections::BTreeMap;
use std::sync::Arc;

use driftlead_drift::{Course, Coverage, Options, WeekCoverage, judge};
use driftlead_metrics::{Activity, Person, WeekActivity, check_lists, scan};
use driftlead_record::{Conversation, Sink, Week};
use rayon::prelude::*;

use crate::failure::Failure;

/// Counts conversations as they are read, on all threads, and keeps no text.
#[derive(Debug, Default)]
pub(crate) struct Measuring {
    deployments: BTreeMap<Arc<str>, Person>,
}

impl Sink for Measuring {
    fn take(&mut self, batch: Vec<Conversation>) {
        let scans: Vec<_> = batch
            .par_iter()
            .map(|c| (c.deployment.clone(), scan(c)))
            .collect();
        for (deployment, scan) in scans {
            self.deployments.entry(deployment).or_default().absorb(scan);
        }
    }
}

impl Measuring {
    /// Ready to count.
    ///
    /// # Errors
    /// A word list of the program cannot be used, so that its metrics would count nothing.
    pub(crate) fn new() -> Result<Self, Failure> {
        check_lists()
            .map_err(|e| Failure::Measure(format!("{e}\n  This is a defect of the program.")))?;
        Ok(Measuring::default())
    }

    /// One course per deployment, the one with most messages first.
    pub(crate) fn courses(self, options: &Options) -> Vec<Course> {
        let mut courses: Vec<Course> = self
            .deployments
            .into_par_iter()
            .map(|(deployment, person)| {
                judge(
                    deployment,
                    person.finish(),
                    coverage(person.activity()),
                    options,
                )
            })
            .collect();
        courses.sort_by_key(|c| std::cmp::Reverse(c.coverage.messages));
        courses
    }
}

/// Puts back the weeks in which nothing was said.
fn coverage(activity: Activity) -> Coverage {
    let first = activity.weeks.first().map_or(0, |w| w.week.0);
    let last = activity.weeks.last().map_or(first - 1, |w| w.week.0);
    let mut said = activity.weeks.into_iter().peekable();
    let mut empty_weeks = 0;
    let weeks = (first..=last)
        .map(|week| match said.next_if(|w| w.week.0 == week) {
            Some(w) => spoken(w),
            None => {
                empty_weeks += 1;
                silent(Week(week))
            }
        })
        .collect();
    Coverage {
        weeks,
        conversations: activity.conversations,
        messages: activity.messages,
        untimed_messages: activity.untimed_messages,
        empty_weeks,
    }
}

fn spoken(week: WeekActivity) -> WeekCoverage {
    WeekCoverage {
        week: week.week,
        person_messages: week.person_messages,
        system_messages: week.system_messages,
        system: week.system,
    }
}

fn silent(week: Week) -> WeekCoverage {
    WeekCoverage {
        week,
        person_messages: 0,
        system_messages: 0,
        system: None,
    }
}

/// Whether anything could be estimated.
pub(crate) fn is_measured(courses: &[Course]) -> bool {
    courses
        .iter()
        .flat_map(|c| &c.lines)
        .any(|l| l.verdict.change.is_some())
}

/// Whether anything moved, for `--exit-code`.
pub(crate) fn has_moved(courses: &[Course]) -> bool {
    let mut verdicts = courses.iter().flat_map(|c| &c.lines).map(|l| &l.verdict);
    verdicts.any(|v| v.word == driftlead_drift::Word::Moved || v.steps.iter().any(|s| s.moved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(week: i32) -> WeekActivity {
        WeekActivity {
            week: Week(week),
            person_messages: 2,
            system_messages: 1,
            system: None,
        }
    }

    #[test]
    fn silent_weeks_are_counted() {
        let activity = Activity {
            weeks: vec![week(3), week(4), week(7)],
            conversations: 2,
            messages: 9,
            untimed_messages: 0,
        };
        let coverage = coverage(activity);
        let messages: Vec<u32> = coverage.weeks.iter().map(|w| w.person_messages).collect();
        assert_eq!(messages, [2, 2, 0, 0, 2]);
        assert_eq!(coverage.empty_weeks, 2);
    }

    #[test]
    fn no_time_no_weeks() {
        let activity = Activity {
            weeks: Vec::new(),
            conversations: 1,
            messages: 1,
            untimed_messages: 1,
        };
        assert!(coverage(activity).weeks.is_empty());
    }
}
