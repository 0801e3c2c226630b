//! Evidence on a person's own course: whether conversations with certain lines have become more common
//! than they were, at that person's own level.
//!
//! A conversation is one observation per marker: it holds such a line, or not. Each marker has a detector
//! with a limit on false alarms at every baseline ([`driftlead_stats::baseline::Guarded`]), so no single
//! message or conversation can reach it, and people whose level is high from the beginning are not taken
//! for people who changed. It stands while evidence is at its price; it is never a label, and it leaves the
//! person's own state only as an act that the person sees.

use std::sync::{Arc, OnceLock};

use driftlead_stats::baseline::{Guarded, GuardedRule, GuardedSettings, Prior};

use super::kept::{Counted, Kept};

/// A conversation counts for a marker when its numerator is above 0 — or, where `absent`, when it is 0.
struct Marker {
    series: &'static str,
    /// What is counted, in the words of its card.
    name: &'static str,
    absent: bool,
    /// Smallest denominator for which the conversation says anything.
    fewest: u32,
}

/// Reference: gateway.md §9.4. Withdrawal from people is seen from two sides: lines that say "alone", and
/// people no longer spoken of. For worsening functioning there is no validated instrument; what is counted
/// are the person's own lines saying that something was missed, and no more is said than that.
const MARKERS: [Marker; 5] = [
    Marker {
        series: "rather_than_people",
        name: "conversations with a line preferring it to people",
        absent: false,
        fewest: 1,
    },
    Marker {
        series: "alone_lines",
        name: "conversations with a line saying \"alone\" or \"no one\"",
        absent: false,
        fewest: 1,
    },
    Marker {
        series: "people_named",
        name: "conversations in which no other person is mentioned",
        absent: true,
        fewest: 50,
    },
    Marker {
        series: "same_problem.not_eased",
        name: "conversations with distress lines that did not ease",
        absent: false,
        fewest: 0,
    },
    Marker {
        series: "missed_lines",
        name: "conversations with a line saying sleep, a meal, work or a day was missed",
        absent: false,
        fewest: 1,
    },
];

/// Largest probability of a false alarm within the horizon, over all markers of a person whose level does
/// not change, whatever that level is.
pub(super) const FALSE_ALARMS: f64 = 0.05;

/// Settings of the detectors: the limit is shared equally among the markers.
fn settings() -> GuardedSettings {
    let each = FALSE_ALARMS / MARKERS.len() as f64;
    GuardedSettings {
        horizon: 365,
        average: each / 2.0,
        everywhere: each,
        paths: 2000,
        ..GuardedSettings::default()
    }
}

/// The rule of all detectors. Finding it takes seconds and tens of megabytes, and it is the same at every
/// start, so what was found is written down below; a test finds it again.
pub(super) fn shared_rule() -> Option<Arc<GuardedRule>> {
    static RULE: OnceLock<Option<Arc<GuardedRule>>> = OnceLock::new();
    let rule = || {
        let (prices, rates): (Vec<f64>, Vec<f64>) = FOUND.into_iter().unzip();
        let rule = GuardedRule::calibrated_before(&prior()?, &settings(), &prices, &rates);
        rule.ok().map(Arc::new)
    };
    RULE.get_or_init(rule).clone()
}

/// Nodes of the grid of baselines.
const NODES: u32 = 24;

/// Price and simulated false-alarm rate per node, for [`prior`] and [`settings`].
const FOUND: [(f64, f64); NODES as usize] = [
    (101.81267649053939, 0.0),
    (101.81267649053939, 0.0),
    (101.81267649053939, 0.002),
    (101.81267649053939, 0.0025),
    (101.81267649053939, 0.006),
    (101.81267649053939, 0.006),
    (101.81267649053939, 0.0075),
    (101.81267649053939, 0.0085),
    (101.81267649053939, 0.005),
    (101.81267649053939, 0.007),
    (101.81267649053939, 0.0045),
    (101.81267649053939, 0.0045),
    (101.81267649053939, 0.0045),
    (101.81267649053939, 0.007),
    (101.81267649053939, 0.004),
    (101.81267649053939, 0.007),
    (101.81267649053939, 0.008),
    (101.81267649053939, 0.0035),
    (119.00321393489094, 0.008),
    (101.81267649053939, 0.0035),
    (101.81267649053939, 0.0045),
    (101.81267649053939, 0.005),
    (101.81267649053939, 0.003),
    (174.34546345001846, 0.0075),
];

/// The grid of baselines.
fn prior() -> Option<Prior> {
    // The limit holds at the baselines of the grid, so the grid covers all of them: some of what is watched
    // is rare with everybody, and conversations without mention of another person are the rule. Equal
    // weights on the logit scale are a choice; the limit at every baseline does not lean on it.
    let (low, high) = (-5.3, 4.2);
    let step = (high - low) / f64::from(NODES - 1);
    let nodes = (0..NODES)
        .map(|at| 1.0 / (1.0 + (-(low + step * f64::from(at))).exp()))
        .collect();
    Prior::new(nodes, vec![1.0; NODES as usize]).ok()
}

/// Detectors that have seen what is kept.
pub(super) fn replay(rule: &Arc<GuardedRule>, kept: &Kept) -> Vec<Guarded> {
    let mut detectors: Vec<Guarded> = MARKERS
        .iter()
        .map(|_| Guarded::new(Arc::clone(rule)))
        .collect();
    for counted in &kept.conversations {
        observe(&mut detectors, counted);
    }
    detectors
}

/// Adds one conversation.
pub(super) fn observe(detectors: &mut [Guarded], counted: &Counted) {
    for (detector, marker) in detectors.iter_mut().zip(&MARKERS) {
        if let Some(seen) = marker.seen(counted) {
            detector.update(seen);
        }
    }
}

/// Whether the evidence of any marker stands now.
pub(super) fn stands(detectors: &[Guarded]) -> bool {
    detectors.iter().any(|detector| detector.margin() >= 1.0)
}

impl Marker {
    fn seen(&self, counted: &Counted) -> Option<bool> {
        let (num, den) = counted.counts.get(self.series).copied().unwrap_or_default();
        (den >= self.fewest).then_some((num > 0) != self.absent)
    }
}

/// What the evidence says of one marker, for the person alone. There is no way to turn it into text but
/// through the person's own interface.
pub(super) struct Course {
    pub(super) name: &'static str,
    pub(super) conversations: usize,
    pub(super) with: usize,
    /// Whether the evidence stands; `None` while no rule is calibrated.
    pub(super) moved: Option<bool>,
}

/// One course per marker.
pub(super) fn courses(kept: &Kept, detectors: &[Guarded]) -> Vec<Course> {
    MARKERS
        .iter()
        .enumerate()
        .map(|(at, marker)| {
            let seen: Vec<bool> = kept
                .conversations
                .iter()
                .filter_map(|counted| marker.seen(counted))
                .collect();
            Course {
                name: marker.name,
                conversations: seen.len(),
                with: seen.iter().filter(|with| **with).count(),
                moved: detectors.get(at).map(|detector| detector.margin() >= 1.0),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use driftlead_stats::rng::Stream;

    use super::*;

    /// A rule that is calibrated in a moment.
    fn quick() -> Arc<GuardedRule> {
        let settings = GuardedSettings {
            horizon: 120,
            paths: 400,
            ..settings()
        };
        let rule = GuardedRule::calibrate(&prior().unwrap(), &settings);
        Arc::new(rule.unwrap())
    }

    /// What is written down is what the calibration gives. Another machine's logarithm may differ in its
    /// last digit, and with it one simulated path of a thousand.
    #[test]
    fn the_rule_is_the_calibrated_one() {
        let rule = GuardedRule::calibrate(&prior().unwrap(), &settings()).unwrap();
        let found: Vec<(f64, f64)> = rule
            .prices()
            .iter()
            .zip(rule.null_rates())
            .map(|(price, null)| (*price, null.rate))
            .collect();
        let near = |a: f64, b: f64, by: f64| (a - b).abs() <= by;
        let same = found
            .iter()
            .zip(FOUND)
            .all(|(new, old)| near(new.0 / old.0, 1.0, 0.02) && near(new.1, old.1, 0.003));
        assert!(same && found.len() == FOUND.len(), "{found:?}");
        let shared = shared_rule().unwrap();
        assert!(shared.average_rate() <= settings().average);
        let limit = settings().everywhere;
        assert!(shared.null_rates().iter().all(|null| null.rate <= limit));
    }

    fn conversation(rather: bool) -> Counted {
        let counts = [("rather_than_people".to_owned(), (u32::from(rather), 10))];
        Counted {
            day: 0,
            counts: counts.into(),
            policy: "p".into(),
            pause: None,
        }
    }

    #[test]
    fn one_conversation_never_stands_and_a_lasting_rise_does() {
        let rule = quick();
        let mut kept = Kept::default();
        kept.add_conversation(conversation(true));
        assert!(!stands(&replay(&rule, &kept)));
        let mut luck = Stream::new(7, 1, 1, 900);
        let mut kept = Kept::default();
        for at in 0..100 {
            let often = if at < 50 { 0.04 } else { 0.6 };
            kept.add_conversation(conversation(luck.uniform() < often));
        }
        let detectors = replay(&rule, &kept);
        assert!(stands(&detectors));
        let courses = courses(&kept, &detectors);
        assert_eq!(courses[0].moved, Some(true));
        assert_eq!(courses[1].conversations, 0, "nothing was said of it");
        assert_eq!(courses[2].conversations, 0, "too few words");
    }

    #[test]
    fn live_and_replayed_evidence_are_the_same() {
        let rule = quick();
        let mut kept = Kept::default();
        let mut live = replay(&rule, &kept);
        for at in 0..30 {
            let counted = conversation(at % 3 == 0);
            observe(&mut live, &counted);
            kept.add_conversation(counted);
        }
        let again = replay(&rule, &kept);
        for (a, b) in live.iter().zip(&again) {
            assert_eq!(a.e_value(), b.e_value());
        }
    }

    /// How many of `people` whose levels do not change are taken for changed within `conversations`.
    fn wrong(rule: &Arc<GuardedRule>, people: u64, conversations: u32, levels: &[f64]) -> u32 {
        let mut wrong = 0;
        for (person, &level) in (0..people).zip(levels.iter().cycle()) {
            let mut luck = Stream::new(3, person, 1, 901);
            let mut detectors = replay(rule, &Kept::default());
            let mut ever = false;
            for _ in 0..conversations {
                let mut counted = conversation(luck.uniform() < level);
                for (series, of) in [
                    ("alone_lines", 10),
                    ("people_named", 100),
                    ("same_problem.not_eased", 1),
                    ("missed_lines", 10),
                ] {
                    let seen = u32::from(luck.uniform() < level);
                    counted.counts.insert(series.into(), (seen, of));
                }
                observe(&mut detectors, &counted);
                ever |= stands(&detectors);
            }
            wrong += u32::from(ever);
        }
        wrong
    }

    #[test]
    fn people_who_do_not_change_are_rarely_taken_for_changed() {
        let people = 200;
        let wrong = wrong(&quick(), people, 120, &[0.02, 0.1, 0.3, 0.6, 0.98]);
        // 5 % is the limit; three standard errors of 200 people are 4.6 points.
        assert!(
            f64::from(wrong) / people as f64 <= 0.096,
            "{wrong} of {people}"
        );
    }

    /// The rule that is shipped, over a year of conversations: `cargo test --release -p driftlead-gate --lib
    /// false_alarms -- --ignored --nocapture` prints the table.
    #[test]
    #[ignore = "takes minutes"]
    fn false_alarms_of_the_shipped_rule() {
        let rule = shared_rule().unwrap();
        let people = 1000;
        for level in [0.02, 0.1, 0.3, 0.6, 0.9] {
            let wrong = wrong(&rule, people, 365, &[level]);
            let share = f64::from(wrong) / people as f64;
            println!("level {level}: {wrong} of {people} taken for changed ({share:.3})");
            // 5 %, and three standard errors of 1,000 people.
            assert!(share <= 0.05 + 0.021, "{level}: {share}");
        }
    }
}
