//! Multiple testing against stored rejection sets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::multiple::*;
use support::{close, indices, numbers, vectors};

#[test]
fn p_value_procedures() {
    let file = vectors("multiple_testing");
    let p = numbers(&file["p"]);
    let sorted = |key: &str| {
        let mut set = indices(&file[key]);
        set.sort_unstable();
        set
    };
    let bh = benjamini_hochberg(&p).unwrap();
    assert_eq!(bh.rejected(0.05), sorted("bh05"));
    assert_eq!(
        benjamini_yekutieli(&p).unwrap().rejected(0.05),
        sorted("by05")
    );
    assert_eq!(holm(&p).unwrap().rejected(0.05), sorted("holm05"));
    for (ours, stored) in bh.p.iter().zip(numbers(&file["bh_adj"])) {
        close(*ours, stored, 1e-12, "adjusted p");
    }
}

#[test]
fn e_bh_sets() {
    for name in ["multiple_testing", "evalues_causal_misc"] {
        let file = vectors(name);
        let e = numbers(&file["e"]);
        for (alpha, set) in file["ebh"].as_object().unwrap() {
            let mut stored = indices(set);
            stored.sort_unstable();
            let alpha = alpha.parse().unwrap();
            let ours = e_bh(&e, alpha).unwrap();
            assert_eq!(ours, stored, "{name} {alpha}");
            let closed = closed_e_bh(&e, alpha).unwrap();
            assert!(ours.iter().all(|i| closed.contains(i)));
            assert_eq!(e_d_bh(&e, alpha).unwrap(), ours);
        }
    }
}
