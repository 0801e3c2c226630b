//! Every public estimator says what it assumes and guarantees and where its formula is from, with an
//! example that runs.
#![allow(clippy::expect_used)]

use std::path::{Path, PathBuf};

/// Public items that estimate nothing: data, settings, results, helpers. Numerics (`special`) and errors are
/// left out as a whole.
const PLAIN: &str = "\
    Adjusted AdwinSettings Alarmed Alternatives Arm Association Before BetaPopulation Candidate \
    Clip Coefficient Combination Comparisons Confusion Correction Cost DailyCourse Detector \
    DipTest Direction Equivalence Fit Grouped Guard GuardedSettings Icc IccForm Interval \
    JointTest Judgement Kappa Kernel Link MixedFit Mixture Noise NullRate PageHinkleySettings \
    Permutations PersonalMean Posterior Prior PrivateMean ProximalPlan Ratings Recursion \
    RunModel Sample Scale Scan Scheme Segmentation SeriesError Settings Shape ShiftTest Sides \
    SlopeNoise Spacing Spending Spread SpreadPrior Tail Ticket Trial WclsFit Weighting bins \
    calibrated hinge philox ranks simulate step t_quantile trend";

/// Of the plain types, the functions that estimate.
const METHODS: &[(&str, &str)] = &[
    ("agreement/kappa.rs", "kappa"),
    ("baseline/prior.rs", "npmle"),
    ("causal/holdout.rs", "holdout_size"),
    ("causal/size.rs", "power"),
    ("mixed/empirical_bayes.rs", "fit"),
    ("segment/search.rs", "penalised"),
    ("segment/search.rs", "with_changes"),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// What the documentation of an item lacks.
fn lacks(doc: &str) -> Vec<&'static str> {
    let any = |words: &[&str]| words.iter().any(|w| doc.contains(w));
    let year = doc
        .split(|c: char| !c.is_ascii_digit())
        .any(|n| n.len() == 4 && matches!(n.get(..2), Some("17" | "18" | "19" | "20")));
    [
        ("an assumption", any(&["ssume", "No assumption"])),
        ("a guarantee", any(&["uarantee", "exact"])),
        ("a source", year || any(&["ource", "arXiv", "root it is"])),
        ("an example", any(&["```"])),
    ]
    .into_iter()
    .filter_map(|(what, there)| (!there).then_some(what))
    .collect()
}

#[test]
fn every_estimator_states_assumption_guarantee_source_and_example() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&source, &mut paths);
    let (mut missing, mut seen) = (Vec::new(), 0);
    for path in paths {
        let name = path
            .strip_prefix(&source)
            .expect("inside")
            .to_string_lossy()
            .into_owned();
        if name.starts_with("special") || name == "error.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source file");
        let mut doc = String::new();
        for line in text.lines().take_while(|l| *l != "#[cfg(test)]") {
            let bare = line.trim_start();
            if let Some(words) = bare.strip_prefix("///") {
                doc.push_str(words);
                doc.push('\n');
                continue;
            }
            if bare.starts_with("#[") {
                continue;
            }
            let mut words = bare.split(|c: char| !c.is_alphanumeric() && c != '_');
            let public = words.next() == Some("pub");
            let kind = words.find(|w| *w != "const");
            let item = words.find(|w| !w.is_empty()).unwrap_or("");
            let estimates = match kind {
                Some("fn" | "struct" | "enum" | "trait") if bare == line => {
                    !PLAIN.split_whitespace().any(|plain| plain == item)
                }
                Some("fn") => METHODS.contains(&(name.as_str(), item)),
                _ => false,
            };
            if public && estimates {
                seen += 1;
                let lacks = lacks(&doc);
                if !lacks.is_empty() {
                    missing.push(format!("{name}: {item} lacks {}", lacks.join(", ")));
                }
            }
            doc.clear();
        }
    }
    assert!(seen > 100, "only {seen} estimators were found");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
