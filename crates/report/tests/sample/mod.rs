//! Invented data for tests and for looking at the page: several verdicts, gaps, version changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use driftlead_drift::{
    Assumption, Band, Baseline, Change, Course, Coverage, Line, Noise, Reason, Rung, Step, Verdict,
    WeekCoverage, Word,
};
use driftlead_metrics::{Abstain, Measure, Point, Rank, Series, Side};
use driftlead_record::Week;
use driftlead_report::{CardText, Cohort, CohortRow, Interval, PersonLine, Shares};

/// Monday 2024-09-30.
pub const FIRST: i32 = 2857;
const BASE: usize = 12;

/// A small deterministic source of noise (SplitMix64).
pub struct Noisy(pub u64);

impl Noisy {
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About standard normal: the sum of twelve uniforms.
    pub fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// How one invented series behaves.
pub struct Plan {
    pub id: &'static str,
    pub metric: &'static str,
    pub name: &'static str,
    pub unit: &'static str,
    pub side: Side,
    pub measure: Measure,
    pub level: f64,
    pub sd: f64,
    pub drift_sd: f64,
    pub word: Word,
    pub reason: Option<Reason>,
}

fn gap(week: usize) -> bool {
    matches!(week, 23..=26 | 40)
}

pub fn line(plan: &Plan, weeks: usize, seed: u64) -> Line {
    let mut noise = Noisy(seed);
    let values: Vec<(usize, f64, f64)> = (0..weeks)
        .filter(|w| !gap(*w))
        .map(|w| {
            let rise = plan.drift_sd * plan.sd * (w as f64 / weeks as f64);
            let v = (plan.level + rise + plan.sd * noise.bell()).max(0.0);
            (w, v, 40.0 + (noise.unit() * 260.0).round())
        })
        .collect();
    let week = |w: usize| Week(FIRST + w as i32);
    let points = values
        .iter()
        .map(|(w, v, den)| Point {
            week: week(*w),
            value: *v,
            num: v * den,
            den: *den,
        })
        .collect();
    let judged = plan.word != Word::NotComparable && plan.reason != Some(Reason::TooFewWeeks);
    let band = values.iter().filter(|_| judged).map(|(w, ..)| {
        let t = *w as f64 / weeks as f64;
        let fit = plan.level + plan.drift_sd * plan.sd * t + 0.2 * plan.sd * (t * 9.0).sin();
        let half = plan.sd * (0.55 + 1.6 * (t - 0.5).powi(2));
        Band {
            week: week(*w),
            fit,
            low: fit - half,
            high: fit + half,
        }
    });
    let half = match plan.word {
        Word::NoMovement => 0.34,
        _ => 0.9,
    };
    let sd = plan.sd;
    let drift = plan.drift_sd;
    let change = judged.then_some(Change {
        estimate: drift * sd,
        low: (drift - half) * sd,
        high: (drift + half) * sd,
        estimate_sd: drift,
        low_sd: drift - half,
        high_sd: drift + half,
    });
    let nulls = (0..8)
        .map(|_| {
            values
                .iter()
                .map(|_| (plan.level + sd * noise.bell()).max(0.0))
                .collect()
        })
        .collect();
    Line {
        series: Series {
            id: plan.id,
            metric: plan.metric,
            name: plan.name,
            unit: plan.unit,
            side: plan.side,
            measure: plan.measure,
            rank: Rank::Primary,
            instrument: format!("{seed:02x}").repeat(32),
            points,
            abstained: BTreeMap::from([(Abstain::TooFew, 1)]),
            other_weeks: None,
        },
        verdict: Verdict {
            word: plan.word,
            rung: Rung::Described,
            assumption: Assumption::A3,
            reason: plan.reason,
            weeks: values.len() as u32,
            change,
            smallest_visible_sd: judged.then_some(1.3),
            smallest_visible: judged.then_some(1.3 * sd),
            noise: judged.then_some(Noise {
                sd,
                phi: 0.31,
                phi_high: 0.62,
                persistent_share: 0.4,
            }),
            baseline: judged.then_some(Baseline {
                first: week(0),
                last: week(BASE - 1),
                weeks: BASE as u32,
                level: plan.level,
                low: plan.level - 1.96 * sd,
                high: plan.level + 1.96 * sd,
            }),
            band: band.collect(),
            steps: if judged {
                steps(plan, weeks)
            } else {
                Vec::new()
            },
            nulls: if judged { nulls } else { Vec::new() },
        },
    }
}

fn steps(plan: &Plan, weeks: usize) -> Vec<Step> {
    let jump = plan.drift_sd * 0.5;
    let sd = plan.sd;
    let change = Change {
        estimate: jump * sd,
        low: (jump - 0.7) * sd,
        high: (jump + 0.7) * sd,
        estimate_sd: jump,
        low_sd: jump - 0.7,
        high_sd: jump + 0.7,
    };
    vec![Step {
        week: Week(FIRST + (weeks * 5).div_ceil(8) as i32),
        from: "lumen-2".into(),
        to: "lumen-3-large".into(),
        change,
        moved: jump.abs() > 0.7,
        rung: Rung::Coincided,
    }]
}

pub fn coverage(weeks: usize, seed: u64) -> Coverage {
    let mut noise = Noisy(seed);
    let weeks: Vec<WeekCoverage> = (0..weeks)
        .map(|w| {
            let n = if gap(w) {
                0
            } else {
                30 + (noise.unit() * 90.0) as u32
            };
            WeekCoverage {
                week: Week(FIRST + w as i32),
                person_messages: n,
                system_messages: n + n / 9,
                system: version(w, weeks),
            }
        })
        .collect();
    Coverage {
        conversations: 412,
        messages: weeks
            .iter()
            .map(|w| u64::from(w.person_messages + w.system_messages))
            .sum(),
        untimed_messages: 37,
        empty_weeks: weeks.iter().filter(|w| w.person_messages == 0).count() as u32,
        weeks,
    }
}

fn version(week: usize, weeks: usize) -> Option<Arc<str>> {
    match week * 8 / weeks {
        0 => None,
        1..=4 => Some("lumen-2".into()),
        _ => Some("lumen-3-large".into()),
    }
}

/// The plans of the page that is looked at.
pub fn plans() -> Vec<Plan> {
    let p = |id, metric, name, unit, side, measure, level, sd, drift_sd, word, reason| Plan {
        id,
        metric,
        name,
        unit,
        side,
        measure,
        level,
        sd,
        drift_sd,
        word,
        reason,
    };
    use Measure::{Count, Rate, Share, Typical};
    use Side::{Person, System};
    let rate = Rate { per: 100 };
    let noisy = Some(Reason::TooNoisy);
    vec![
        p(
            "questions",
            "questions",
            "questions per reply",
            "per reply",
            System,
            Rate { per: 1 },
            1.1,
            0.22,
            -0.8,
            Word::CannotTell,
            noisy,
        ),
        p(
            "ends_in_question",
            "questions",
            "replies ending in a question",
            "share of replies",
            System,
            Share,
            0.48,
            0.07,
            2.4,
            Word::Moved,
            None,
        ),
        p(
            "friend_like",
            "friend_like",
            "friend-like lines",
            "per 100 words",
            System,
            rate,
            0.9,
            0.21,
            1.6,
            Word::Moved,
            None,
        ),
        p(
            "praise",
            "praise_agree",
            "lines praising or agreeing",
            "share of lines",
            System,
            Share,
            0.17,
            0.04,
            0.5,
            Word::CannotTell,
            noisy,
        ),
        p(
            "small_words.i",
            "small_words",
            "“I” words",
            "per 100 words",
            Person,
            rate,
            5.4,
            0.7,
            0.05,
            Word::NoMovement,
            None,
        ),
        p(
            "small_words.we",
            "small_words",
            "“we” words",
            "per 100 words",
            Person,
            rate,
            0.6,
            0.25,
            0.3,
            Word::CannotTell,
            noisy,
        ),
        p(
            "small_words.always",
            "small_words",
            "“always” words",
            "per 100 words",
            Person,
            rate,
            0.8,
            0.3,
            -0.4,
            Word::CannotTell,
            noisy,
        ),
        p(
            "active_days",
            "cadence",
            "days with a message",
            "days per week",
            Person,
            Count,
            4.2,
            1.1,
            0.2,
            Word::CannotTell,
            noisy,
        ),
        p(
            "night_share",
            "cadence",
            "messages written 00 to 05 h",
            "share of messages",
            Person,
            Share,
            0.08,
            0.05,
            0.9,
            Word::NotComparable,
            Some(Reason::FormatChanged),
        ),
        p(
            "gap_hours",
            "cadence",
            "hours between sessions",
            "hours",
            Person,
            Typical,
            26.0,
            8.0,
            -0.2,
            Word::CannotTell,
            noisy,
        ),
        p(
            "people_named",
            "people_named",
            "other people mentioned",
            "per 1,000 words",
            Person,
            Rate { per: 1000 },
            7.5,
            2.0,
            -1.9,
            Word::Moved,
            None,
        ),
        p(
            "choice_requests",
            "choice_requests",
            "messages asking it to choose",
            "share of messages",
            Person,
            Share,
            0.06,
            0.03,
            0.6,
            Word::CannotTell,
            noisy,
        ),
        p(
            "alone",
            "alone_lines",
            "lines saying “alone” or “no one”",
            "share of lines",
            Person,
            Share,
            0.02,
            0.012,
            0.1,
            Word::CannotTell,
            Some(Reason::TooFewWeeks),
        ),
        p(
            "says_it_feels",
            "says_it_feels",
            "lines in which it says it feels",
            "share of lines",
            System,
            Share,
            0.05,
            0.02,
            0.4,
            Word::CannotTell,
            noisy,
        ),
    ]
}

pub fn course(weeks: usize, plans: &[Plan]) -> Course {
    Course {
        deployment: "Lumen".into(),
        coverage: coverage(weeks, 5),
        shown: plans
            .iter()
            .skip(1)
            .take(2)
            .map(|p| Series {
                id: "questions.stacked",
                rank: Rank::Secondary,
                ..line(p, weeks, 5).series
            })
            .collect(),
        lines: plans
            .iter()
            .enumerate()
            .map(|(i, p)| line(p, weeks, 11 + i as u64))
            .collect(),
        family: 2 * plans.len() as u32,
        alpha: 0.05,
        delta_sd: 0.5,
        seed: 7,
    }
}

pub fn cards() -> Vec<CardText> {
    [
        ("questions", "questions per reply"),
        ("friend_like", "friend-like lines per 100 words"),
    ]
    .iter()
    .map(|(id, name)| CardText {
        id: (*id).to_owned(),
        name: (*name).to_owned(),
        hash: "3f9c".repeat(16),
        rows: vec![
            (
                "Definition".to_owned(),
                "Hits over words of the system's messages, times 100.".to_owned(),
            ),
            (
                "Languages".to_owned(),
                "English; no value elsewhere".to_owned(),
            ),
            ("Human agreement".to_owned(), "not measured".to_owned()),
        ],
    })
    .collect()
}

/// A cohort of two counts, half of the people with a planted change.
pub fn cohort(people: usize, weeks: usize) -> Cohort {
    let row = |name: &str, planted: Option<&str>, rise: f64, seed: u64| {
        let mut noise = Noisy(seed);
        let lines = (0..people)
            .map(|_| {
                let own = rise + 0.4 * noise.bell();
                let value = |w: usize, e: f64| own * w as f64 / weeks as f64 + 0.5 * e;
                PersonLine(
                    (0..weeks)
                        .map(|w| (Week(FIRST + w as i32), value(w, noise.bell())))
                        .collect(),
                )
            })
            .collect();
        let moved = if planted.is_some() { 0.11 } else { 0.01 };
        CohortRow {
            name: name.to_owned(),
            people: people as u32,
            planted: planted.map(str::to_owned),
            mean: Interval {
                estimate: rise,
                low: rise - 0.11,
                high: rise + 0.11,
            },
            shares: Shares {
                moved,
                no_movement: 0.06,
                cannot_tell: 0.94 - moved,
            },
            lines,
        }
    };
    Cohort {
        people: 2 * people as u32,
        delta_sd: 0.5,
        seed: 9,
        rows: vec![
            row(
                "friend-like lines",
                Some("+0.9 own SD over the year"),
                0.9,
                1,
            ),
            row("friend-like lines", None, 0.02, 2),
            row(
                "questions per reply",
                Some("−0.4 own SD over the year"),
                -0.41,
                3,
            ),
            row("questions per reply", None, -0.03, 4),
        ],
    }
}
