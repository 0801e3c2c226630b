//! Closed forms, tables and the prescribed trace.

use driftlead_sim::draw::Draws;
use driftlead_sim::feed::influence::{allowance, certified_shift};
use driftlead_sim::feed::kernel::step;
use driftlead_sim::feed::learner::{Learner, Rule};
use driftlead_sim::feed::luck::StepLuck;
use driftlead_sim::feed::mirror::{ALPHA, FLOOR, MEAN, Mirror, NEXT, STEPS, VARIANCE};
use rayon::prelude::*;
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use crate::target::Trace;
use crate::{Found, SEED, SETTING2, welford};

/// Everything that needs no population.
pub(crate) fn run(found: &mut Found, draws: &Trace) {
    influence(found);
    tables(found);
    closed_forms(found);
    trace(found, draws);
}

fn influence(found: &mut Found) {
    let normal = Normal::standard();
    // E max of M normals = ∫ x d Φ(x)^M, by the trapezoid rule over all that matters.
    let e_max = |m: i32| {
        let (n, h) = (200_000, 1e-4);
        let term = |i: i32| {
            let x = -10.0 + h * f64::from(i);
            x * f64::from(m) * normal.cdf(x).powi(m - 1) * normal.pdf(x)
        };
        (0..=n).map(term).sum::<f64>() * h
    };
    let sizes = [2, 3, 4, 5, 8, 10, 20, 50, 100, 1000];
    found.insert("core.e_max_normal".into(), sizes.map(e_max).to_vec());
    found.insert("core.budget.sigma50".into(), vec![allowance(50.0, 2.0)]);
    found.insert("core.budget.sd15".into(), vec![allowance(15.0, 2.0)]);
    let gain = selection_gain(0.45, 100);
    found.insert("core.selection_gain".into(), vec![gain]);
    // Choosing one of 100 by a known score costs at most ln 100 nats: the row asks for the bound's
    // value as the most that the realised gain may be.
    let within = gain < certified_shift(1.0, 100f64.ln());
    found.insert(
        "core.selection_bound".into(),
        vec![if within { gain } else { f64::NAN }],
    );
    let coefficient = certified_shift(1.0, 2f64.ln()).powi(2);
    found.insert("core.cap_per_bit".into(), vec![coefficient]);
}

/// Gain in SD of the best of `m` by a prediction that correlates `r` with the outcome, simulated.
fn selection_gain(r: f64, m: u32) -> f64 {
    let n = 200_000u32;
    let of = |i: u32| {
        let mut luck = Draws::new(SEED).sequence(u64::from(i), 0, 4000);
        let best = (0..m)
            .map(|_| luck.normal())
            .fold(f64::NEG_INFINITY, f64::max);
        r * best + (1.0 - r * r).sqrt() * luck.normal()
    };
    let gains: Vec<f64> = (0..n).into_par_iter().map(of).collect();
    gains.iter().sum::<f64>() / f64::from(n)
}

fn tables(found: &mut Found) {
    let mut table = |name: &str, v: Vec<f64>| {
        found.insert(format!("feed.mirror.table.{name}"), v);
    };
    table("mean_reactive", MEAN.concat());
    table("variance_reactive", VARIANCE.concat());
    table("transitions_info", NEXT[0].concat());
    table("transitions_outrage", NEXT[1].concat());
    let start = Learner::new(Rule::None, 2).row(0)[0];
    table("constants", vec![ALPHA, f64::from(STEPS), FLOOR, start]);
}

fn closed_forms(found: &mut Found) {
    let normal = Normal::standard();
    for (name, lambda, content) in [("outrage", 0.0, 1), ("info", 0.0, 0), ("lam_half", 0.5, 0)] {
        let id = format!("feed.mirror.stationary.{name}");
        found.insert(id, stationary(lambda, content));
    }
    let floored = |lambda: f64, state: usize, content: usize| {
        let law = Mirror::new(lambda).law_in(state, content);
        let k = (law.mean - law.floor) / law.sd;
        law.floor + (law.mean - law.floor) * normal.cdf(k) + law.sd * normal.pdf(k)
    };
    let reactive = (0..3).flat_map(|s| [0, 1].map(|a| floored(0.0, s, a)));
    let half = (0..3).map(|s| floored(0.5, s, 0));
    found.insert(
        "feed.mirror.mean_reaction".into(),
        reactive.chain(half).collect(),
    );
}

/// The distribution over states after many steps of one content.
fn stationary(lambda: f64, content: usize) -> Vec<f64> {
    let person = Mirror::new(lambda);
    let mut p = [1.0, 0.0, 0.0];
    for _ in 0..10_000 {
        let mut next = [0.0; 3];
        for (s, mass) in p.iter().enumerate() {
            for (to, q) in next.iter_mut().zip(person.row(content, s)) {
                *to += mass * q;
            }
        }
        p = next;
    }
    p.to_vec()
}

fn trace(found: &mut Found, draws: &Trace) {
    const NAMES: [&str; 7] = [
        "state",
        "p1",
        "action",
        "reaction",
        "baseline",
        "advantage",
        "theta1",
    ];
    for (name, lambda) in [("lam0", 0.0), ("lam0_3", 0.3)] {
        let mut person = Mirror::new(lambda);
        let mut learner = Learner::new(welford(ALPHA), 2);
        let mut columns: [Vec<f64>; 7] = Default::default();
        let lucks = draws
            .u_action
            .iter()
            .zip(&draws.z_reaction)
            .zip(&draws.u_state);
        for ((content, reaction), state) in lucks {
            let luck = StepLuck {
                content: *content,
                state: *state,
                reaction: *reaction,
            };
            let before = person.state;
            let o = step(&mut person, &mut learner, &SETTING2, luck, &mut || 0.5);
            let row = [
                before as f64,
                o.policy[1],
                o.content as f64,
                o.reward,
                learner.baseline(),
                o.reward - learner.baseline(),
                learner.row(0)[1],
            ];
            columns.iter_mut().zip(row).for_each(|(c, v)| c.push(v));
        }
        if lambda == 0.0 {
            found.insert("feed.mirror.first_advantage".into(), vec![columns[5][0]]);
        }
        for (column, values) in NAMES.iter().zip(columns) {
            found.insert(format!("feed.mirror.trace.{name}.{column}"), values);
        }
    }
}
