//! What dependence inside a person does to a nominal average run length.

use crate::Options;
use driftlead_stats::edetector::{Alternatives, BinaryBank};
use driftlead_stats::rng::Stream;
use driftlead_stats::special::{expit, gauss_legendre, normal_pdf};

const ARL: f64 = 1e3;

/// (autocorrelation, standard deviation) of the latent log odds around logit(.1)
const CELLS: [(f64, f64); 7] = [
    (0.0, 0.0),
    (0.3, 0.5),
    (0.6, 0.5),
    (0.9, 0.5),
    (0.6, 1.0),
    (0.9, 1.0),
    (0.97, 1.0),
];

pub(crate) fn run(options: &Options) {
    let runs: u64 = if options.quick { 100 } else { 1000 };
    println!("\n## Autocorrelation: measured ARL of e-SR K=8 at nominal 1,000 ({runs} runs)\n");
    println!(
        "Binary scores whose log odds follow an AR(1); the marginal mean is known. ARL in updates of the detector.\n"
    );
    println!("| phi, sd | marginal mean | every conversation | every 7th conversation |");
    println!("|---|---|---|---|");
    for (index, &(phi, sd)) in CELLS.iter().enumerate() {
        let centre = -(9f64.ln());
        let mean =
            gauss_legendre(80).integrate(-8.0, 8.0, |z| normal_pdf(z) * expit(centre + sd * z));
        let arl = |stride: u32| {
            let total: f64 = (0..runs)
                .map(|run| {
                    run_length(
                        (centre, phi, sd),
                        mean,
                        stride,
                        &mut Stream::new(options.seed, run, index as u32, 4),
                    )
                })
                .sum();
            total / runs as f64
        };
        println!(
            "| {phi}, {sd} | {mean:.4} | {:.0} | {:.0} |",
            arl(1),
            arl(7)
        );
    }
}

fn run_length(
    (centre, phi, sd): (f64, f64, f64),
    mean: f64,
    stride: u32,
    luck: &mut Stream,
) -> f64 {
    let grid = Alternatives::geometric_bernoulli(mean, 0.03, 8).expect("grid");
    let mut bank = BinaryBank::new(mean, &grid, 1).expect("bank");
    let mut mood = luck.normal();
    let mut updates = 0.0;
    for t in 0..1_000_000u32 {
        let x = f64::from(u8::from(luck.uniform() < expit(centre + sd * mood)));
        mood = phi * mood + (1.0 - phi * phi).sqrt() * luck.normal();
        if t % stride == 0 {
            updates += 1.0;
            if bank.update(&[x]).expect("bit")[0] >= ARL {
                break;
            }
        }
    }
    updates
}
