//! Stretches of weeks in which one system version wrote most of the replies.

use std::sync::Arc;

use driftlead_record::Week;

use crate::WeekCoverage;

/// Shortest run of active weeks that counts as a stretch of its own; a shorter one is an excursion.
const SHORTEST: usize = 3;

/// Consecutive weeks under one system version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The version; `None` where the record names none.
    pub(crate) system: Option<Arc<str>>,
    /// First week.
    pub(crate) first: Week,
    /// Last week.
    pub(crate) last: Week,
}

/// Splits the active weeks into stretches. Excursions of fewer than [`SHORTEST`] active weeks belong
/// to the stretch before them (to the one after, at the start).
pub(crate) fn stretches(weeks: &[WeekCoverage]) -> Vec<Stretch> {
    let mut runs: Vec<(Stretch, usize)> = Vec::new();
    for week in weeks.iter().filter(|w| w.system_messages > 0) {
        match runs.last_mut() {
            Some((run, length)) if run.system == week.system => {
                run.last = week.week;
                *length += 1;
            }
            _ => {
                let system = week.system.clone();
                runs.push((
                    Stretch {
                        system,
                        first: week.week,
                        last: week.week,
                    },
                    1,
                ));
            }
        }
    }
    let mut merged: Vec<Stretch> = Vec::new();
    let mut waiting: Option<Week> = None;
    for (run, length) in runs {
        match merged.last_mut() {
            Some(before) if before.system == run.system || length < SHORTEST => {
                before.last = run.last;
            }
            None if length < SHORTEST => {
                waiting.get_or_insert(run.first);
            }
            _ => merged.push(Stretch {
                first: waiting.take().unwrap_or(run.first),
                ..run
            }),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weeks(systems: &str) -> Vec<WeekCoverage> {
        systems
            .chars()
            .zip(100..)
            .map(|(c, week)| WeekCoverage {
                week: Week(week),
                person_messages: 20,
                system_messages: if c == '.' { 0 } else { 20 },
                system: (c != '.' && c != '?').then(|| c.to_string().into()),
            })
            .collect()
    }

    fn shape(systems: &str) -> Vec<(String, i32, i32)> {
        stretches(&weeks(systems))
            .into_iter()
            .map(|s| {
                (
                    s.system.map_or("?".into(), |s| s.to_string()),
                    s.first.0,
                    s.last.0,
                )
            })
            .collect()
    }

    #[test]
    fn excursions_do_not_split() {
        assert_eq!(shape("aaaabaaa"), [("a".into(), 100, 107)]);
        assert_eq!(
            shape("aaaa..bbbb"),
            [("a".into(), 100, 103), ("b".into(), 106, 109)]
        );
        assert_eq!(shape("baaaa"), [("a".into(), 100, 104)]);
        assert_eq!(shape("????"), [("?".into(), 100, 103)]);
        assert!(shape("...").is_empty());
    }
}
