//! What dependence inside a person does to a nominal average run length.

use crate::{Options, reaches};
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

/// Every so many conversations one is looked at.
const STRIDES: [u32; 3] = [1, 7, 30];

pub(crate) fn run(options: &Options) {
    let runs: u64 = if options.quick { 100 } else { 4000 };
    println!("\n## Autocorrelation: measured ARL of e-SR K=8 at nominal 1,000 ({runs} runs)\n");
    println!(
        "Binary scores whose log odds follow an AR(1); the marginal mean is known. ARL ± Monte-Carlo standard error, in updates of the detector (times 7 or 30 in conversations).\n"
    );
    println!(
        "| phi, sd | marginal mean | every conversation | every 7th conversation | every 30th conversation |"
    );
    println!("|---|---|---|---|---|");
    let mut short = vec![Vec::new(); STRIDES.len()];
    for (index, &(phi, sd)) in CELLS.iter().enumerate() {
        let centre = -(9f64.ln());
        let mean =
            gauss_legendre(80).integrate(-8.0, 8.0, |z| normal_pdf(z) * expit(centre + sd * z));
        let cells: Vec<String> = STRIDES
            .iter()
            .zip(&mut short)
            .map(|(&stride, short)| {
                let lengths: Vec<f64> = (0..runs)
                    .map(|run| {
                        let mut luck = Stream::new(options.seed, run, index as u32, 4);
                        run_length((centre, phi, sd), mean, stride, &mut luck)
                    })
                    .collect();
                let n = runs as f64;
                let arl = lengths.iter().sum::<f64>() / n;
                let squares: f64 = lengths.iter().map(|l| (l - arl).powi(2)).sum();
                let error = (squares / (n - 1.0) / n).sqrt();
                let judgement = reaches(arl, error, ARL);
                if judgement != "met" {
                    short.push(format!("phi {phi}, sd {sd}: {judgement}"));
                }
                format!("{arl:.0} ± {error:.0}")
            })
            .collect();
        println!("| {phi}, {sd} | {mean:.4} | {} |", cells.join(" | "));
    }
    println!("\nTarget: the nominal 1,000 at every autocorrelation.\n");
    for (stride, short) in STRIDES.iter().zip(short) {
        let judgement = if short.is_empty() {
            "met everywhere".to_owned()
        } else {
            short.join("; ")
        };
        println!("- one conversation in {stride}: {judgement}");
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
