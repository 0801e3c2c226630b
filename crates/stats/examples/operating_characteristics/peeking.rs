//! What repeated looks do to the effect of a micro-randomised trial.

use crate::{Options, share_error, verdict};
use driftlead_stats::causal::{Correction, EffectSequence, PersonalMean, Trial, wcls};
use driftlead_stats::cs::{AsymptoticSequence, Interval};
use driftlead_stats::rng::Stream;

const PEOPLE: usize = 500;
const DECISIONS: usize = 100;
/// A look after every so many decision points.
const EVERY: usize = 5;
const LOOKS: usize = DECISIONS / EVERY;
const P: f64 = 0.5;
const ALPHA: f64 = 0.05;
/// Width allowed, over WCLS.
const WIDTH: f64 = 1.15;
/// Autocorrelation of a person's state, and the standard deviation of what is new in it.
const STATE: (f64, f64) = (0.6, 0.12);
/// Least weight of the newest outcome in the expectation of a person.
const FOLLOW: f64 = 0.15;
/// Intrinsic time at which the empirical-Bernstein sequence is tightest: about half of what the trial ends with.
const V_OPT: f64 = 2000.0;

const EFFECTS: [f64; 4] = [0.0, 0.005, 0.01, 0.02];

const PEEKED: &str = "looked at 20 times";
const ONCE: &str = "looked at once, at the end";

/// (name, when it is looked at); the order is that of [`Looks`].
const METHODS: [(&str, &str); 7] = [
    ("WCLS", PEEKED),
    ("WCLS, personal mean as control", PEEKED),
    ("inverse-propensity z", PEEKED),
    ("asymptotic sequence", PEEKED),
    ("empirical-Bernstein sequence (`EffectSequence`)", PEEKED),
    ("WCLS", ONCE),
    ("WCLS, personal mean as control", ONCE),
];
const SEQUENCE: usize = 4;
/// At the end only: without and with the personal mean.
const FIXED: [usize; 2] = [5, 6];

/// One trial, row by row, sorted by person.
struct Data {
    person: Vec<u32>,
    treated: Vec<bool>,
    outcome: Vec<f64>,
    /// What the person's past lets expect.
    expected: Vec<f64>,
}

/// What one trial showed under every method: first look that excludes 0 (decision points), and the
/// half-width at the last look.
type Looks = [(Option<usize>, f64); METHODS.len()];

pub(crate) fn run(options: &Options) {
    let runs = |effect: f64| match (options.quick, effect > 0.0) {
        (true, _) => 100u64,
        (false, true) => 1000,
        (false, false) => 4000,
    };
    println!(
        "\n## Micro-randomised trial: {PEOPLE} people x {DECISIONS} decisions, {LOOKS} looks\n"
    );
    println!(
        "Treatment with probability .5; outcome = clip(b + state + .1 t/T + tau A, 0, 1), b from Beta(4,8), state AR(1) with phi .6 and innovations of SD .12. Level .05, {} runs without effect and {} with each. Personal mean: from the person's own past, weight max(1/n, .15), before the first outcome that of the people before. ± is a Monte-Carlo standard error; in brackets the median decision point of the first interval without 0.\n",
        runs(0.0),
        runs(1.0)
    );
    println!(
        "| interval | looks | type I error | tau .005 | tau .01 | tau .02 | final half-width |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut cells = vec![Vec::new(); METHODS.len()];
    let mut judged = Vec::new();
    let mut widths = [0.0; METHODS.len()];
    let mut ratios = [(0.0, 0.0); FIXED.len()];
    for (index, &effect) in EFFECTS.iter().enumerate() {
        let runs = runs(effect);
        let seen: Vec<Looks> = (0..runs)
            .map(|run| {
                let mut luck = Stream::new(options.seed, run, index as u32, 5);
                looks(effect, &mut luck)
            })
            .collect();
        if effect == 0.0 {
            ratios = FIXED.map(|fixed| ratio(&seen, fixed));
        }
        for (method, cells) in cells.iter_mut().enumerate() {
            let mut stops: Vec<usize> = seen.iter().filter_map(|l| l[method].0).collect();
            stops.sort_unstable();
            let share = stops.len() as f64 / runs as f64;
            let error = share_error(share, runs as f64);
            if effect == 0.0 {
                widths[method] = seen.iter().map(|l| l[method].1).sum::<f64>() / runs as f64;
                cells.push(format!("{share:.4} ± {error:.4}"));
                judged.push((method, share, error));
            } else {
                let median = stops.get(stops.len() / 2).copied().unwrap_or(0);
                cells.push(format!("{share:.3} ± {error:.3} ({median})"));
            }
        }
    }
    for (((name, looks), cells), width) in METHODS.iter().zip(&cells).zip(widths) {
        println!("| {name} | {looks} | {} | {width:.5} |", cells.join(" | "));
    }
    println!(
        "\nTargets: type I error at most .05 under all looks; final half-width at most {WIDTH} times that of WCLS, looked at once.\n"
    );
    for (method, share, error) in judged {
        let (name, looks) = METHODS[method];
        println!(
            "- {name}, {looks}: type I error {}",
            verdict(share, error, ALPHA)
        );
    }
    let [(plain, error), (like, spread)] = ratios;
    println!(
        "- half-width of the empirical-Bernstein sequence over WCLS, looked at once: {plain:.3} ± {error:.3}: {}",
        verdict(plain, error, WIDTH)
    );
    println!(
        "- over WCLS with the same personal mean, which is like for like: {like:.3} ± {spread:.3}. This is the price of looking at all times."
    );
}

/// Mean and standard error of the final half-width of the sequence, as a ratio to that of method `to`.
fn ratio(seen: &[Looks], to: usize) -> (f64, f64) {
    let n = seen.len() as f64;
    let ratios = || seen.iter().map(|l| l[SEQUENCE].1 / l[to].1);
    let mean = ratios().sum::<f64>() / n;
    let squares: f64 = ratios().map(|r| (r - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

/// Runs one trial and looks at it with every method.
fn looks(effect: f64, luck: &mut Stream) -> Looks {
    let mut data = simulate(effect, luck);
    let rows = PEOPLE * DECISIONS;
    let mut people = Vec::with_capacity(PEOPLE);
    let mut first_outcomes = 0.0;
    let mut sequence = EffectSequence::new(ALPHA, P, V_OPT).expect("sequence");
    let mut asymptotic = AsymptoticSequence::new(ALPHA, rows as f64 / 2.0).expect("sequence");
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut available = vec![false; rows];
    let mut result: Looks = [(None, 0.0); METHODS.len()];
    for t in 0..DECISIONS {
        for i in 0..PEOPLE {
            let row = i * DECISIONS + t;
            let (treated, y) = (data.treated[row], data.outcome[row]);
            if t == 0 {
                // Of a new person nothing is known but what those before them showed.
                let start = if i == 0 {
                    0.5
                } else {
                    first_outcomes / i as f64
                };
                people.push(PersonalMean::starting_at(start, FOLLOW).expect("mean"));
                first_outcomes += y;
            }
            let mean = &mut people[i];
            data.expected[row] = mean.expected();
            let gap = y - mean.expected();
            let psi = if treated { gap / P } else { -gap / (1.0 - P) };
            available[row] = true;
            sequence.update(mean, treated, P, y).expect("row");
            asymptotic.update(psi).expect("increment");
            sum += psi;
            squares += psi * psi;
        }
        if (t + 1) % EVERY != 0 {
            continue;
        }
        let n = ((t + 1) * PEOPLE) as f64;
        let mean = sum / n;
        let half = 1.959_963_984_540_054 * ((squares / n - mean * mean) / n).sqrt();
        let z = Interval {
            low: mean - half,
            high: mean + half,
        };
        let marginal = fit(&data, &available, &[]);
        let centred = fit(&data, &available, &[&data.expected]);
        let intervals = [
            marginal,
            centred,
            z,
            asymptotic.interval(),
            sequence.interval().expect("interval"),
        ];
        let last = t + 1 == DECISIONS;
        let once = [marginal, centred].map(|i| last.then_some(i));
        let all = intervals.map(Some).into_iter().chain(once);
        for (slot, interval) in result.iter_mut().zip(all) {
            if let Some(interval) = interval {
                if slot.0.is_none() && !interval.contains(0.0) {
                    slot.0 = Some(t + 1);
                }
                slot.1 = interval.width() / 2.0;
            }
        }
    }
    result
}

fn simulate(effect: f64, luck: &mut Stream) -> Data {
    let rows = PEOPLE * DECISIONS;
    let mut data = Data {
        person: (0..PEOPLE as u32)
            .flat_map(|i| std::iter::repeat_n(i, DECISIONS))
            .collect(),
        treated: Vec::with_capacity(rows),
        outcome: Vec::with_capacity(rows),
        expected: vec![0.0; rows],
    };
    let (phi, new) = STATE;
    for _ in 0..PEOPLE {
        // Beta(4, 8) as a share of two gamma variables of whole shape.
        let mut gamma = |shape: u32| -(0..shape).map(|_| luck.uniform().ln()).sum::<f64>();
        let (a, b) = (gamma(4), gamma(8));
        let own = a / (a + b);
        let mut state = luck.normal() * new / (1.0 - phi * phi).sqrt();
        for t in 0..DECISIONS {
            let treated = luck.uniform() < P;
            let trend = 0.1 * t as f64 / DECISIONS as f64;
            let y = own + state + trend + if treated { effect } else { 0.0 };
            data.treated.push(treated);
            data.outcome.push(y.clamp(0.0, 1.0));
            state = phi * state + new * luck.normal();
        }
    }
    data
}

/// Interval of WCLS at the rows that are in so far.
fn fit(data: &Data, available: &[bool], controls: &[&[f64]]) -> Interval {
    let trial = Trial {
        person: &data.person,
        available,
        treated: &data.treated,
        probability: &[P; PEOPLE * DECISIONS],
        outcome: &data.outcome,
        controls,
        moderators: &[],
    };
    wcls(&trial, P, Correction::Automatic)
        .and_then(|fit| fit.effect(&[])?.interval(ALPHA))
        .expect("fit")
}
