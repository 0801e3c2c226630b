//! 10,000 people x 15 markers x 180 conversations, five per cent of them drifting in three markers.

use crate::{Options, reaches, share_error, verdict};
use driftlead_stats::edetector::{Alternatives, BinaryBank};
use driftlead_stats::eprocess::{SubsetVerdict, Weights};
use driftlead_stats::multiple::{closed_e_bh, e_bh};
use driftlead_stats::rng::Stream;

const MARKERS: usize = 15;
const HORIZON: u32 = 180;
const BASELINE: f64 = 0.1;

/// Populations per row, each with seeds of its own.
const POPULATIONS: u32 = 3;
/// Rises of the probability that the subsets bet on.
const RISES: [f64; 4] = [0.06, 0.13, 0.28, 0.6];

struct Drift {
    name: &'static str,
    /// Probability after the change.
    level: f64,
    /// Conversations until it is reached.
    ramp: f64,
    /// One throw of the die decides all markers of a conversation: the strongest dependence there is.
    together: bool,
    /// Smallest power asked for.
    goal: Option<f64>,
}

impl Drift {
    fn drifts(&self) -> bool {
        self.level > BASELINE
    }
}

const fn drift(
    name: &'static str,
    level: f64,
    ramp: f64,
    together: bool,
    goal: Option<f64>,
) -> Drift {
    Drift {
        name,
        level,
        ramp,
        together,
        goal,
    }
}

const DRIFTS: [Drift; 6] = [
    drift("none", 0.10, 1.0, false, None),
    drift("none, markers together", 0.10, 1.0, true, None),
    drift("step .25", 0.25, 1.0, false, Some(0.9)),
    drift("step .20", 0.20, 1.0, false, Some(0.3)),
    drift("ramp to .35 over 90", 0.35, 90.0, false, None),
    drift("step .25, markers together", 0.25, 1.0, true, None),
];
const RULES: [&str; 3] = ["mean, e-BH", "mean, closed e-BH", "subsets, closed e-BH"];

/// What a rule has done in one population.
#[derive(Default)]
struct Score {
    worst_fdp: f64,
    right: f64,
    wrong: f64,
    ever_wrong: Vec<bool>,
    first: Vec<Option<u32>>,
}

impl Score {
    fn look(&mut self, rejected: &[usize], onsets: &[Option<u32>], t: u32) {
        self.first.resize(onsets.len(), None);
        self.ever_wrong.resize(onsets.len(), false);
        (self.right, self.wrong) = (0.0, 0.0);
        for &i in rejected {
            match onsets[i] {
                Some(onset) => {
                    self.right += 1.0;
                    self.first[i].get_or_insert((t + 1).saturating_sub(onset));
                }
                None => {
                    self.wrong += 1.0;
                    self.ever_wrong[i] = true;
                }
            }
        }
        self.worst_fdp = self.worst_fdp.max(self.fdp());
    }

    fn fdp(&self) -> f64 {
        self.wrong / (self.right + self.wrong).max(1.0)
    }
}

pub(crate) fn run(options: &Options) {
    let people: usize = if options.quick { 2000 } else { 10_000 };
    println!(
        "\n## Population: {people} people x {MARKERS} markers x {HORIZON} conversations, alpha .05\n"
    );
    println!(
        "p0 = .10 known; 5 % of people drift in 3 of 15 markers from a common conversation in 30-89; a look every 10 conversations; {POPULATIONS} populations per row. Mean: arithmetic mean of the e-values of single markers. Subsets: `SubsetVerdict` over all sets of one to three markers. Both are valid under any dependence between markers. \"Together\": one throw decides all markers of a conversation, so that markers of one level are copies of each other; elsewhere markers are independent.\n"
    );
    println!(
        "± is the standard error of a share of the people who drift, populations pooled. FDP: share of false among the found, mean of the populations at the last look; its worst value is over all looks and populations. Ever false: unchanged people found at any look, in all populations.\n"
    );
    println!(
        "| drift | evidence and rule | person power at 180 (each population) | FDP at 180 | worst FDP | ever false | median delay |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut judged = Vec::new();
    for (index, drift) in DRIFTS.iter().enumerate() {
        judged.extend(row(people, index as u32, drift, options.seed));
    }
    println!(
        "\nTargets: FDP at most .05 at every look; power at least .90 at .10 to .25 and .30 at .10 to .20.\n"
    );
    for line in judged {
        println!("{line}");
    }
    println!(
        "\nWhat it rests on: the baseline .10 is known, and while nothing changes no marker's mean, given everything seen before, exceeds it. Nothing is assumed of how the markers of a conversation depend on each other."
    );
}

/// Prints the rows of one drift and returns what they say of the targets.
fn row(people: usize, index: u32, drift: &Drift, seed: u64) -> Vec<String> {
    let populations: Vec<[Score; 3]> = (0..POPULATIONS)
        .map(|p| experiment(people, index + 16 * p, drift, seed))
        .collect();
    let drifting = if drift.drifts() {
        people.div_ceil(20) as f64
    } else {
        0.0
    };
    let mut judged = Vec::new();
    for (r, rule) in RULES.iter().enumerate() {
        let scores: Vec<&Score> = populations.iter().map(|p| &p[r]).collect();
        let mean = |of: fn(&Score) -> f64| {
            scores.iter().map(|s| of(s)).sum::<f64>() / f64::from(POPULATIONS)
        };
        let worst = scores.iter().map(|s| s.worst_fdp).fold(0.0, f64::max);
        let ever: usize = scores
            .iter()
            .map(|s| s.ever_wrong.iter().filter(|w| **w).count())
            .sum();
        let mut delays: Vec<u32> = scores
            .iter()
            .flat_map(|s| s.first.iter().flatten().copied())
            .collect();
        delays.sort_unstable();
        let median = delays
            .get(delays.len() / 2)
            .map_or("-".into(), u32::to_string);
        let power = mean(|s| s.right) / drifting.max(1.0);
        let error = share_error(power, drifting * f64::from(POPULATIONS));
        let shown = if drifting > 0.0 {
            let each: Vec<String> = scores
                .iter()
                .map(|s| format!("{:.3}", s.right / drifting))
                .collect();
            format!("{power:.3} ± {error:.3} ({})", each.join(", "))
        } else {
            "-".into()
        };
        println!(
            "| {} | {rule} | {shown} | {:.3} | {worst:.3} | {ever} | {median} |",
            drift.name,
            mean(Score::fdp)
        );
        let power = drift.goal.map_or(String::new(), |goal| {
            format!("; power {goal}: {}", reaches(power, error, goal))
        });
        let fdp = verdict(worst, 0.0, 0.05);
        judged.push(format!(
            "- {}, {rule}: FDP at every look: {fdp}{power}",
            drift.name
        ));
    }
    judged
}

fn experiment(people: usize, stream: u32, drift: &Drift, seed: u64) -> [Score; 3] {
    let mut lucks: Vec<Stream> = (0..people as u64)
        .map(|p| Stream::new(seed, p, stream, 3))
        .collect();
    let onsets: Vec<Option<u32>> = lucks
        .iter_mut()
        .enumerate()
        .map(|(p, luck)| (drift.drifts() && p.is_multiple_of(20)).then(|| 30 + luck.below(60)))
        .collect();
    let grid = Alternatives::geometric_bernoulli(BASELINE, 0.03, 5).expect("grid");
    let mut bank = BinaryBank::new(BASELINE, &grid, people * MARKERS).expect("bank");
    let fresh = SubsetVerdict::new(
        &[BASELINE; MARKERS],
        &RISES,
        3,
        Weights::Horizon(HORIZON.into()),
    )
    .expect("subsets");
    let mut subsets = vec![fresh; people];
    let mut scores: [Score; 3] = Default::default();
    let mut x = vec![0.0; people * MARKERS];
    for t in 0..HORIZON {
        for (person, (row, luck)) in x.chunks_exact_mut(MARKERS).zip(&mut lucks).enumerate() {
            let share = onsets[person]
                .filter(|&o| t >= o)
                .map_or(0.0, |o| (f64::from(t - o + 1) / drift.ramp).min(1.0));
            let common = luck.uniform();
            for (marker, x) in row.iter_mut().enumerate() {
                let p = if marker < 3 {
                    BASELINE + share * (drift.level - BASELINE)
                } else {
                    BASELINE
                };
                let throw = if drift.together {
                    common
                } else {
                    luck.uniform()
                };
                *x = f64::from(u8::from(throw < p));
            }
            subsets[person].update(row).expect("row");
        }
        let values = bank.update(&x).expect("row");
        if (t + 1).is_multiple_of(10) {
            // With equal weights 1/T the e-process is the Shiryaev-Roberts value over T.
            let scale = f64::from(HORIZON) * MARKERS as f64;
            let mean: Vec<f64> = values
                .chunks_exact(MARKERS)
                .map(|row| row.iter().sum::<f64>() / scale)
                .collect();
            let sets: Vec<f64> = subsets.iter().map(SubsetVerdict::e_value).collect();
            scores[0].look(&e_bh(&mean, 0.05).expect("e"), &onsets, t);
            scores[1].look(&closed_e_bh(&mean, 0.05).expect("e"), &onsets, t);
            scores[2].look(&closed_e_bh(&sets, 0.05).expect("e"), &onsets, t);
        }
    }
    scores
}
