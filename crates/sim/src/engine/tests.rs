//! The engine against an independent implementation, known facts, and itself on other hardware.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::draw::{Draws, stream};
use driftlead_stats::rng::Stream;

const MIRROR4: Setting = Setting::Mirror4 { alpha: 0.08 };

fn mirror(lambda: Lambda) -> Setting {
    Setting::Mirror {
        alpha: 0.08,
        lambda,
    }
}

fn run(setting: Setting, people: u64, steps: u32) -> Totals {
    let run = Run {
        setting,
        people,
        steps,
        seed: 7,
    };
    run.go(&Control::default()).unwrap().totals
}

/// Where the luck of the straightforward implementation comes from.
trait Luck {
    /// Uniform content, normal reaction, uniform transition.
    fn step(&mut self, t: u32) -> (f64, f64, f64);
}

/// Another generator, another normal.
struct Independent(Stream);

impl Luck for Independent {
    fn step(&mut self, _: u32) -> (f64, f64, f64) {
        (self.0.uniform(), self.0.normal(), self.0.uniform())
    }
}

/// The engine's words, but through the public interface and the platform's functions.
struct Same {
    draws: Draws,
    user: u64,
}

impl Luck for Same {
    fn step(&mut self, t: u32) -> (f64, f64, f64) {
        let word = |t, stream| self.draws.word(self.user, t, stream);
        let even = t & !1;
        let (c, s, r) = (
            word(even, stream::CONTENT),
            word(even, stream::TRANSITION),
            word(even, stream::REACTION),
        );
        let u = f64::from(r >> 8) / f64::from(1 << 24) + 0.5 / f64::from(1 << 24);
        let bits = (c << 24) | (s << 16 & 0x00FF_0000) | (r << 8 & 0x0000_FF00);
        let angle = f64::from(bits as i32) / 2f64.powi(31) * std::f64::consts::FRAC_PI_4;
        let (mut first, mut second) = (angle.cos(), angle.sin());
        if bits >> 8 & 1 == 1 {
            std::mem::swap(&mut first, &mut second);
        }
        if bits >> 9 & 1 == 1 {
            first = -first;
        }
        if bits >> 10 & 1 == 1 {
            second = -second;
        }
        let radius = (-2.0 * u.ln()).sqrt();
        let uniform = |stream| self.draws.uniform(self.user, t, stream);
        let normal = radius * if t == even { first } else { second };
        (
            uniform(stream::CONTENT),
            normal,
            uniform(stream::TRANSITION),
        )
    }
}

/// A person of either world, written as the definition reads, in double precision: all logits, a
/// softmax, tables looked up and blended.
struct Plain {
    logits: Vec<Vec<f64>>,
    state: usize,
    baseline: f64,
    lambda: f64,
    kind: usize,
}

impl Plain {
    fn new(states: usize, contents: usize, lambda: f64, kind: usize) -> Self {
        Plain {
            logits: vec![vec![0.0; contents]; states],
            state: 0,
            baseline: 0.0,
            lambda,
            kind,
        }
    }

    fn policy(&self, state: usize) -> Vec<f64> {
        let logits = &self.logits[state.min(self.logits.len() - 1)];
        let top = logits.iter().copied().fold(f64::MIN, f64::max);
        let e: Vec<f64> = logits.iter().map(|x| (x - top).exp()).collect();
        let sum: f64 = e.iter().sum();
        e.iter().map(|x| x / sum).collect()
    }

    /// Returns the content and the reaction.
    fn step(&mut self, t: u32, (content, normal, transition): (f64, f64, f64)) -> (usize, f64) {
        const MEAN: [[f64; 3]; 2] = [[1.5, 1.2, 0.8], [2.5, 5.5, 8.0]];
        const VARIANCE: [[f64; 3]; 2] = [[0.10, 0.08, 0.05], [1.0, 3.0, 5.0]];
        const NEXT: [[[f64; 3]; 3]; 2] = [
            [[0.85, 0.15, 0.0], [0.45, 0.5, 0.05], [0.2, 0.55, 0.25]],
            [[0.25, 0.65, 0.1], [0.05, 0.35, 0.6], [0.0, 0.08, 0.92]],
        ];
        let s = self.state;
        let p = self.policy(s);
        let mut sum = 0.0;
        let mut a = 0;
        for q in &p[..p.len() - 1] {
            sum += q;
            a += usize::from(content >= sum);
        }
        let (own, other) = if a == 0 { (0, 1) } else { (1, 0) };
        let blend = |x: f64, y: f64| (1.0 - self.lambda) * x + self.lambda * y;
        let halved = p.len() == 4 && a > 0 && a != self.kind;
        let weight = if halved { 0.5 } else { 1.0 };
        let mean = weight * blend(MEAN[own][s], MEAN[other][s]);
        let variance = blend(VARIANCE[own][s], VARIANCE[other][s]);
        let reaction = (mean + variance.sqrt() * normal).max(0.1);
        self.baseline += (reaction - self.baseline) / f64::from(t + 1);
        let advantage = reaction - self.baseline;
        let row = s.min(self.logits.len() - 1);
        for (k, logit) in self.logits[row].iter_mut().enumerate() {
            let shown = if k == a { 1.0 } else { 0.0 };
            *logit += 0.08 * advantage * (shown - p[k]);
        }
        let first = blend(NEXT[own][s][0], NEXT[other][s][0]);
        let second = first + blend(NEXT[own][s][1], NEXT[other][s][1]);
        self.state = usize::from(transition >= first) + usize::from(transition >= second);
        (a, reaction)
    }
}

/// Person by person with the same luck: the kernels are the definition up to single precision, and
/// the draws are the contract's.
#[test]
fn each_person_is_the_definitions() {
    let keys = *Draws::new(7).keys();
    let span = tile::Span {
        first: 1 << 34,
        people: 64,
        steps: 40,
    };
    let people = 1 << 35;
    let worlds = [
        tile::states(
            simd::portable::Portable,
            &mirror::Mirror {
                alpha: 0.08,
                lambda: Lambda::Grid,
                people,
            },
            &keys,
            span,
        ),
        tile::states(
            simd::portable::Portable,
            &mirror4::Mirror4 { alpha: 0.08 },
            &keys,
            span,
        ),
    ];
    for (rows, contents) in worlds.iter().zip([2usize, 4]) {
        let states = if contents == 2 { 1 } else { 3 };
        let words = states * (contents - 1) + 2;
        let mut apart = 0;
        for i in 0..span.people as usize {
            let user = span.first + i as u64;
            let lambda = match contents {
                2 => (user as f64 + 0.5) / people as f64,
                _ => f64::from((user as u32).wrapping_mul(2_654_435_769) >> 8) / f64::from(1 << 24),
            };
            let mut plain = Plain::new(states, contents, lambda, (user % 4) as usize);
            let mut luck = Same {
                draws: Draws::new(7),
                user,
            };
            for t in 0..span.steps {
                let drawn = luck.step(t);
                plain.step(t, drawn);
            }
            let lane = |word: usize| rows[i / 16 * words + word][i % 16];
            let logit = |state: usize, content: usize| plain.logits[state][content];
            let mut same = lane(words - 1) as usize == plain.state;
            let baseline = f64::from(f32::from_bits(lane(words - 2)));
            same &= (baseline - plain.baseline).abs() < 1e-3;
            for state in 0..states {
                for k in 1..contents {
                    let base2 = f64::from(f32::from_bits(lane(state * (contents - 1) + k - 1)));
                    let difference = logit(state, k) - logit(state, 0);
                    same &= (base2 * std::f64::consts::LN_2 - difference).abs() < 2e-3;
                }
            }
            apart += usize::from(!same);
        }
        // A uniform can fall between a threshold and its rounded self: about one draw in a million.
        assert!(
            apart <= 1,
            "{contents} contents: {apart} of 64 people differ"
        );
    }
}

#[test]
fn all_kernels_and_any_threads_give_the_same_bytes() {
    // A full tile, a part of one, and a vector that is not full; an odd number of steps over a window.
    for setting in [mirror(Lambda::Grid), MIRROR4] {
        for (people, steps) in [(768 + 100 + 3, 131), (5, 2), (16, 1)] {
            let run = Run {
                setting,
                people,
                steps,
                seed: 3,
            };
            let go = |kernel, threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let control = Control {
                    kernel: Some(kernel),
                    ..Control::default()
                };
                pool.unwrap().install(|| run.go(&control)).unwrap()
            };
            let expected = go(Kernel::Portable, 1);
            assert!(expected.complete && expected.totals.people == people);
            for kernel in Kernel::available() {
                for threads in [1, 3] {
                    assert!(
                        go(kernel, threads) == expected,
                        "{kernel:?} {threads} {setting:?}"
                    );
                }
            }
        }
    }
}

/// Fixed so that no change of a result goes unseen. A person's bits are tied to the definition by
/// `each_person_is_the_definitions`.
#[test]
fn golden() {
    let keys = *Draws::new(7).keys();
    let span = tile::Span {
        first: 0,
        people: 256,
        steps: 64,
    };
    let hash = |rows: Vec<[u32; 16]>| {
        // FNV-1a over the words' bytes.
        rows.iter()
            .flatten()
            .flat_map(|w| w.to_le_bytes())
            .fold(0xCBF2_9CE4_8422_2325u64, |h, b| {
                (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3)
            })
    };
    let s = simd::portable::Portable;
    let two = mirror::Mirror {
        alpha: 0.08,
        lambda: Lambda::Grid,
        people: 256,
    };
    let found = [
        hash(tile::states(s, &two, &keys, span)),
        hash(tile::states(
            s,
            &mirror4::Mirror4 { alpha: 0.08 },
            &keys,
            span,
        )),
    ];
    let sums = [mirror(Lambda::Grid), MIRROR4].map(|setting| {
        let totals = run(setting, 256, 64);
        let reaction: u64 = totals.reaction.iter().sum();
        let hooked: u64 = totals.hooked.iter().sum();
        let content: u64 = totals.content.iter().flatten().sum();
        [reaction, hooked, content]
    });
    assert_eq!((found, sums), GOLDEN, "{found:#x?} {sums:?}");
}

const GOLDEN: ([u64; 2], [[u64; 3]; 2]) = (
    [0x83ad_34ed_aeec_6dab, 0x6393_a922_d060_8893],
    [
        [2_416_457_151, 7_996, 8_206],
        [1_600_801_988, 6_287, 23_002],
    ],
);

/// Against another implementation with another generator: every number of the trace within 5 SE of
/// the smaller sample, for a small, an even and an odd step.
#[test]
fn the_trace_agrees_with_an_independent_implementation() {
    let (people, steps) = (6_000u64, 120u32);
    for contents in [2usize, 4] {
        let (setting, states) = match contents {
            2 => (mirror(Lambda::Grid), 1),
            _ => (MIRROR4, 3),
        };
        let engine = run(setting, 200_000, steps);
        let mut sums = vec![[0.0f64; 9]; steps as usize];
        for u in 0..people {
            let lambda = match contents {
                2 => (u as f64 + 0.5) / people as f64,
                _ => (u as f64 * 0.618_033_988_7).fract(),
            };
            let mut person = Plain::new(states, contents, lambda, (u % 4) as usize);
            let mut luck = Independent(Stream::new(1, u, 0, 0));
            for t in 0..steps {
                let (a, reaction) = person.step(t, luck.step(t));
                let row = &mut sums[t as usize];
                row[0] += reaction;
                row[1] += reaction * reaction;
                row[2 + a] += 1.0;
                row[6 + person.state] += 1.0;
            }
        }
        let n = people as f64;
        for t in [0usize, 1, 2, 7, 30, 119] {
            let row = &sums[t];
            let mean = row[0] / n;
            let se = ((row[1] / n - mean * mean) / n).sqrt();
            assert!(
                (engine.mean_reaction(t) - mean).abs() < 5.0 * se,
                "{contents} reaction {t}"
            );
            let near = |share: f64, count: f64, what: &str| {
                let p = count / n;
                let se = (p.max(1e-3) * (1.0 - p).max(1e-3) / n).sqrt();
                assert!(
                    (share - p).abs() < 5.0 * se,
                    "{contents} {what} {t}: {share} {p}"
                );
            };
            near(engine.shown(t)[0], row[2], "informative");
            near(engine.shown(t)[1], row[3], "bait");
            near(engine.states(t)[1], row[7], "engaged");
            near(engine.states(t)[2], row[8], "hooked");
        }
    }
}

/// Lock-in of `mirror` (facts of the public demo's model, measured by several implementations).
#[test]
fn lock_in_is_what_is_known() {
    // (λ, steps, people, locked, mean probability of bait, locked to the wrong side, tolerance)
    for (lambda, steps, people, locked, mean, wrong, tolerance) in [
        (0.0, 250, 40_000, 1.0, 0.9958, 0.0, 0.001),
        (0.5, 250, 200_000, 0.2263, 0.5, 0.0, 0.004),
        (0.49, 250, 100_000, 0.254, 0.6128, 0.0586, 0.006),
        (0.45, 250, 100_000, 0.7151, 0.8975, 0.002, 0.006),
        (0.5, 2_000, 40_000, 0.798, 0.5, 0.0, 0.01),
        (0.49, 2_000, 40_000, 0.863, 0.796, 0.135, 0.01),
    ] {
        let totals = run(mirror(Lambda::Fixed(lambda)), people, steps);
        let found = (
            totals.locked(0),
            totals.mean_probability(0, 1),
            totals.locked_wrong(0),
        );
        for (x, y) in [(found.0, locked), (found.1, mean), (found.2, wrong)] {
            assert!(
                (x - y).abs() < tolerance,
                "λ {lambda}, T {steps}: {found:?}"
            );
        }
    }
}

/// The order of the updates: a baseline that is moved after the advantage locks .2405 at λ = ½.
#[test]
fn the_baseline_contains_the_reaction() {
    let locked = run(mirror(Lambda::Fixed(0.5)), 400_000, 250).locked(0);
    assert!((locked - 0.2261).abs() < 0.005, "{locked}");
}

/// Reference statistics of both worlds at the last step, for a million people within .02 and .002.
#[test]
fn reference_statistics() {
    let close = |x: f64, y: f64, tolerance: f64, what: &str| {
        assert!((x - y).abs() < tolerance, "{what}: {x}, {y}");
    };
    for (steps, reaction, engaged, hooked, bait, calm) in [
        (50, 3.389, 0.3333, 0.4334, 0.2235, 0.2347),
        (250, 4.707, 0.2836, 0.5549, 0.1662, 0.1958),
    ] {
        let totals = run(MIRROR4, 1_000_000, steps);
        let last = steps as usize - 1;
        let what = format!("mirror4 {steps}");
        close(totals.mean_reaction(last), reaction, 0.02, &what);
        close(totals.states(last)[1], engaged, 0.002, &what);
        close(totals.states(last)[2], hooked, 0.002, &what);
        for k in 1..4 {
            close(totals.shown(last)[k], bait, 0.002, &what);
        }
        close(totals.mean_probability(0, 1), calm, 0.002, &what);
    }
    for (steps, reaction, engaged, hooked, locked) in [
        (50, 4.993, 0.2963, 0.5524, 0.619),
        (250, 5.247, 0.2811, 0.5848, 0.932),
    ] {
        let totals = run(mirror(Lambda::Grid), 1_000_000, steps);
        let last = steps as usize - 1;
        let what = format!("mirror {steps}");
        close(totals.mean_reaction(last), reaction, 0.02, &what);
        close(totals.states(last)[1], engaged, 0.002, &what);
        close(totals.states(last)[2], hooked, 0.002, &what);
        close(totals.shown(last)[1], 0.5, 0.002, &what);
        close(totals.locked(0), locked, 0.002, &what);
    }
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bytes() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("run.checkpoint");
    // Long lives make small rounds: a few of them here.
    let run = Run {
        setting: mirror(Lambda::Grid),
        people: 250_000,
        steps: 3_001,
        seed: 9,
    };
    let whole = run.go(&Control::default()).unwrap();
    let (stop, reports) = (AtomicBool::new(false), AtomicU64::new(0));
    let report = |p: Progress| {
        assert!(p.done <= p.people);
        reports.fetch_add(1, Ordering::Relaxed);
        stop.store(true, Ordering::Relaxed);
    };
    let mut control = Control {
        progress: Some(&report),
        stop: Some(&stop),
        checkpoint: Some(path.clone()),
        every: Some(Duration::ZERO),
        resume: true,
        ..Control::default()
    };
    let part = run.go(&control).unwrap();
    assert!(!part.complete && part.totals.people < run.people && part.totals.people > 0);
    control.stop = None;
    let end = run.go(&control).unwrap();
    assert!(reports.load(Ordering::Relaxed) >= 3);
    assert!(end == whole);
    // Resuming what is finished does nothing.
    assert!(run.go(&control).unwrap() == whole);

    let refused = |run: Run| match run.go(&control) {
        Ok(_) => "taken".to_owned(),
        Err(e) => e.to_string(),
    };
    assert!(refused(Run { seed: 10, ..run }).contains("another run"));
    assert!(
        refused(Run {
            steps: 3_000,
            ..run
        })
        .contains("another run")
    );
    let text = std::fs::read_to_string(&path).unwrap();
    for broken in [
        &text[..text.len() / 2],
        "",
        "{}",
        &text.replacen("\"people\":250000", "\"people\":250001", 1),
        &text.replacen("\"people\":250000", "\"people\":100", 1),
    ] {
        std::fs::write(&path, broken).unwrap();
        assert!(refused(run).contains("not a checkpoint"));
    }
}

#[test]
fn impossible_runs_are_refused() {
    let run = Run {
        setting: MIRROR4,
        people: 1,
        steps: 1,
        seed: 0,
    };
    let refused = |run: Run| run.go(&Control::default()).is_err();
    assert!(!refused(run));
    assert!(refused(Run { people: 0, ..run }) && refused(Run { steps: 0, ..run }));
    for alpha in [0.0, -1.0, 0.6, f64::NAN, f64::INFINITY] {
        let setting = Setting::Mirror4 { alpha };
        assert!(refused(Run { setting, ..run }));
    }
    for lambda in [-0.1, 1.1, f64::NAN] {
        let setting = mirror(Lambda::Fixed(lambda));
        assert!(refused(Run { setting, ..run }));
    }
}

/// The largest step size: logits stay where the power of two is exact (no infinity, sums that add
/// up).
#[test]
fn the_largest_step_size_stays_in_range() {
    for setting in [
        Setting::Mirror {
            alpha: LARGEST_ALPHA,
            lambda: Lambda::Grid,
        },
        Setting::Mirror4 {
            alpha: LARGEST_ALPHA,
        },
    ] {
        let totals = run(setting, 20_000, 3_000);
        for policy in 0..setting.policies() {
            let sum: f64 = (0..setting.contents())
                .map(|k| totals.mean_probability(policy, k))
                .sum();
            assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        }
        for t in 0..3_000 {
            let shares = totals.states(t);
            assert!(shares.iter().all(|p| (0.0..=1.0).contains(p)));
            assert!((0.1..21.2).contains(&totals.mean_reaction(t)));
        }
    }
}
