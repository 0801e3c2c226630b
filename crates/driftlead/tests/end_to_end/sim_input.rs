//! Scenarios and options that make no sense: the file, the line, the key, and exit code 2.

use crate::program::Desk;

const CLUSTERS: &str = "kind = \"clusters\"\n[[content]]\nname = \"a\"\n[[content]]\nname = \"b\"\n\
                        [[profile]]\nname = \"p\"\npull = [2, 1]\n";

#[test]
fn every_kind_says_which_key_is_wrong_and_where() {
    // Kind, what follows the kind, the line of the mistake, and what is said of it.
    let mirror = |kind: &'static str| {
        [
            (kind, "alhpa = 0.1", 2, "unknown field `alhpa`"),
            (kind, "alpha = -0.1", 2, "alpha is -0.1"),
            (kind, "alpha = nan", 2, "alpha is NaN"),
            (kind, "\nalpha = 0.6", 3, "alpha is 0.6"),
            (kind, "people = -1", 2, "people is -1"),
            (kind, "steps = nan", 2, "steps is nan"),
            (kind, "panel = 0", 2, "panel is 0"),
        ]
    };
    let mut cases = Vec::new();
    cases.extend(mirror("mirror"));
    cases.extend(mirror("mirror4"));
    cases.extend([
        ("mirror", "lambda = 1.5", 2, "lambda is 1.5"),
        ("mirror", "lambda = nan", 2, "lambda is nan"),
        ("catalogue", "itmes = 5", 2, "unknown field `itmes`"),
        ("catalogue", "people = 0", 2, "people is 0"),
        ("catalogue", "panel = -3", 2, "panel is -3"),
        ("catalogue", "[person]\nrate = -0.1", 3, "rate is -0.1"),
        (
            "catalogue",
            "[person]\nrecovery = nan",
            3,
            "recovery is NaN",
        ),
        (
            "catalogue",
            "[person]\nselect_share = 1.5",
            3,
            "select_share is 1.5",
        ),
        (
            "catalogue",
            "[person]\nlambda = [0.0, 2.0]",
            3,
            "lambda has 2",
        ),
        ("catalogue", "[levers]\nfloor = 2.0", 3, "floor is 2"),
        (
            "catalogue",
            "[learner]\nrule = \"epsilon_greedy\"\nepsilon = -0.5",
            4,
            "epsilon is -0.5",
        ),
        (
            "catalogue",
            "[learner]\nrule = \"reinforce\"\nkl = nan",
            4,
            "kl is NaN",
        ),
        ("bandit4s", "etta = [0.0]", 2, "unknown field `etta`"),
        ("bandit4s", "alpha = [0.1]\neta = [1.5]", 3, "eta has 1.5"),
        ("bandit4s", "eta = [0.1]\nalpha = [-1.0]", 3, "alpha has -1"),
        ("bandit4s", "eta = [0.1]\nalpha = [nan]", 3, "alpha has NaN"),
    ]);
    let mut files: Vec<(String, usize, &str)> = cases
        .into_iter()
        .map(|(kind, text, line, part)| (format!("kind = \"{kind}\"\n{text}\n"), line, part))
        .collect();
    for (text, line, part) in [
        (
            "[person]\nhabbit_week = 0.5",
            10,
            "unknown field `habbit_week`",
        ),
        ("[person]\nhabit_week = 1.5", 10, "habit_week is 1.5"),
        ("[person]\neta = -0.1", 10, "eta is -0.1"),
        ("[person]\nmixed = nan", 10, "mixed is NaN"),
        ("[levers]\ncap = -1.0", 10, "cap is -1"),
        ("[learner]\nrule = \"ppo\"\nclip = nan", 11, "clip is NaN"),
        (
            "[learner]\nrule = \"ppo\"\nclipp = 0.1",
            11,
            "unknown field `clipp`",
        ),
        ("[phase]\nalpha = [0.1]\neta = [-0.5]", 11, "eta has -0.5"),
        ("[deployer]\nvotes = 1.0", 10, "unknown field `votes`"),
    ] {
        files.push((format!("{CLUSTERS}{text}\n"), line, part));
    }
    let vote = CLUSTERS.replacen("name = \"a\"", "name = \"a\"\nvote = 1.5", 1);
    files.push((vote, 4, "vote is 1.5"));
    let desk = Desk::new();
    for (text, line, part) in files {
        desk.put("bad.toml", &text);
        let run = desk.run(&["sim", "feed", "bad.toml"]);
        let place = format!("bad.toml: line {line}: ");
        assert_eq!(run.code, 2, "{text}\n{}", run.stderr);
        assert!(run.stderr.contains(&place), "{text}\n{}", run.stderr);
        assert!(run.stderr.contains(part), "{text}\n{}", run.stderr);
        assert!(run.stdout.is_empty());
    }
}

/// More than the machine can hold is said before anything is begun, with what is needed and what there
/// is.
#[test]
fn what_does_not_fit_the_machine_is_refused() {
    let desk = Desk::new();
    desk.put("m.toml", "kind = \"mirror\"\npanel = 1e15\npeople = 8e15\n");
    for (name, part) in [("x.parquet", "on the disk"), ("x.jsonl", "on the disk")] {
        let run = desk.run(&["sim", "feed", "m.toml", "--events", name]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        for part in ["--events", "panel", part, "TB", "are free"] {
            assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
        }
        assert!(!desk.path(name).exists());
    }
    let run = desk.run(&["sim", "feed", "m.toml", "--people", "1", "--steps", "4e9"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    for part in ["steps is 4,000,000,000", "of memory", "GB", "are available"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    // Places that cannot be written are found before the run, not after it.
    for option in ["--out", "--events", "--json", "--checkpoint"] {
        let target = format!("{option}=none/x.jsonl");
        let args = ["sim", "feed", "m.toml", "--people", "1e9", &target];
        let run = desk.run(&args);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains("none/x.jsonl"), "{}", run.stderr);
    }
    assert!(desk.is_clean());
}
