use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::program::Desk;

const MIRROR: &str = "kind = \"mirror\"\nlambda = 0.0\npeople = 2000\n";

#[test]
fn a_scenario_gives_a_table_and_data() {
    let desk = Desk::new();
    desk.put("mirror.toml", MIRROR);
    let run = desk.run(&["sim", "feed", "mirror.toml", "--json=out.json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for part in [
        "2,000 people × 250 steps",
        "mean reaction",
        "hooked",
        "locked",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let json: serde_json::Value = serde_json::from_str(&desk.read("out.json")).unwrap();
    assert_eq!(json["manifest"]["people"], 2000);
    assert_eq!(json["manifest"]["generator"], "aes128-5r-counter/1");
    assert_eq!(json["steps"].as_array().unwrap().len(), 250);
    // Reactive people end up with bait.
    let bait = json["policies"][0]["mean_probability"][1].as_f64().unwrap();
    assert!((bait - 0.9958).abs() < 0.003, "{bait}");
    assert!(desk.is_clean());
}

#[test]
fn the_same_bytes_at_any_number_of_threads() {
    let desk = Desk::new();
    desk.put("w.toml", "kind = \"mirror4\"\n");
    let go = |threads| {
        let args = [
            "sim",
            "feed",
            "w.toml",
            "--people",
            "1e5",
            "--steps",
            "31",
            "--seed",
            "5",
            "--json",
            "--threads",
            threads,
        ];
        let run = desk.run(&args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout
    };
    assert_eq!(go("1"), go("3"));
}

const CLUSTERS: &str = include_str!("../../../../scenarios/clusters.toml");

#[test]
fn people_whom_exposure_moves() {
    let desk = Desk::new();
    desk.put("c.toml", CLUSTERS);
    let go = |threads| {
        let run = desk.run(&[
            "sim",
            "feed",
            "c.toml",
            "--people",
            "60",
            "--steps",
            "280",
            "--json",
            "--threads",
            threads,
        ]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout
    };
    let json = go("1");
    assert_eq!(json, go("3"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let lock = &json["numbers"]["lock_in"];
    let value = |key: &str| lock[key]["value"].as_f64().unwrap();
    let parts = value("heterogeneity") + value("commitment") + value("sensitisation");
    assert!((parts - value("dispersion")).abs() < 1e-12);
    assert_eq!(json["numbers"]["weekly"].as_array().unwrap().len(), 4);

    let run = desk.run(&[
        "sim", "feed", "c.toml", "--people", "40", "--steps", "140", "--out", "p.html",
    ]);
    let page = desk.read("p.html");
    assert!(page.contains("<svg") && page.contains("synthetic data"));
    assert!(!page.contains("NaN") && !page.contains("because"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    for part in [
        "Goodhart horizon",
        "KL leash 0.2",
        "bimodality",
        "principal rater",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    desk.put("m.toml", MIRROR);
    for args in [
        vec!["sim", "feed", "c.toml", "--steps", "71"],
        vec!["sim", "feed", "c.toml", "--people", "39"],
        vec!["sim", "feed", "c.toml", "--checkpoint", "kept"],
        vec!["sim", "feed", "c.toml", "--events", "x.csv"],
        vec!["sim", "feed", "m.toml", "--out", "x.html"],
    ] {
        let run = desk.run(&args);
        assert_eq!(run.code, 2, "{args:?}");
        assert!(run.stdout.is_empty());
    }
}

#[test]
fn people_whose_vector_moves() {
    let desk = Desk::new();
    let shipped = include_str!("../../../../scenarios/catalogue.toml");
    desk.put("c.toml", shipped);
    let small = ["sim", "feed", "c.toml", "--people", "41", "--steps", "70"];
    let go = |threads| {
        let run = desk.run(&[&small[..], &["--json", "--threads", threads]].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout
    };
    let json = go("1");
    assert_eq!(json, go("3"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["manifest"]["rule"], "mere_exposure");
    assert_eq!(json["arms"].as_array().unwrap().len(), 7);
    let weekly = json["arms"][0]["weekly"].as_array().unwrap();
    assert_eq!(weekly.len(), 2);
    assert!(weekly[1]["toward"]["mean"].as_f64().unwrap() > 0.0);

    let run = desk.run(&small);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for part in [
        "synthetic data",
        "200 items × 8 attributes",
        "nobody moves",
        "everything retrieved",
        "person reflecting",
        "hedonic adaptation",
        "nearer to what they were shown",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    desk.put("bad.toml", shipped.replace("rate = 0.005", "rate = -1"));
    let run = desk.run(&["sim", "feed", "bad.toml"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("bad.toml: line 29: rate is -1"),
        "{}",
        run.stderr
    );
    for extra in [
        ["--steps", "71"],
        ["--out", "x.html"],
        ["--events", "x.jsonl"],
    ] {
        let run = desk.run(&[&["sim", "feed", "c.toml"][..], &extra].concat());
        assert_eq!(run.code, 2, "{extra:?}");
        assert!(run.stdout.is_empty());
    }
}

/// What a feed showed is a record like any other.
#[test]
fn a_panel_is_read_as_a_record() {
    let desk = Desk::new();
    desk.put("c.toml", CLUSTERS);
    for name in ["panel.parquet", "panel.jsonl"] {
        let run = desk.run(&[
            "sim", "feed", "c.toml", "--people", "40", "--steps", "140", "--events", name,
        ]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        // 140 places of 40 people, each an impression and a reaction.
        assert!(
            run.stdout.contains("11,200 rows of 40 people"),
            "{}",
            run.stdout
        );
        let read = desk.run(&["record", name, "--out", "copy.jsonl"]);
        assert_eq!(read.code, 0, "{}", read.stderr);
        assert!(read.stdout.contains("11,200 rows"), "{}", read.stdout);
    }
    desk.put("m.toml", MIRROR);
    assert_eq!(
        desk.run(&["sim", "feed", "m.toml", "--events", "x.parquet"])
            .code,
        2
    );
}

#[test]
fn errors_name_the_file_and_the_line() {
    let desk = Desk::new();
    for (text, place) in [
        (
            "kind = \"mirror\"\nlambda = 2",
            "bad.toml: line 2: lambda is 2",
        ),
        (
            "kind = \"mirror\"\n\nalpah = 0.1",
            "bad.toml: line 3: unknown field",
        ),
        ("kind = \"mirror\"\nalpha = nan", "bad.toml: line 2: alpha"),
        ("kind = 'x'", "bad.toml: line 1: kind"),
    ] {
        desk.put("bad.toml", text);
        let run = desk.run(&["sim", "feed", "bad.toml"]);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(place), "{}", run.stderr);
    }
    desk.put("good.toml", MIRROR);
    for args in [
        vec!["sim", "feed", "none.toml"],
        vec!["sim", "feed", "good.toml", "--people", "0"],
        vec!["sim", "feed", "good.toml", "--steps", "1.5"],
        vec!["sim", "feed", "good.toml", "--resume"],
        vec!["sim"],
    ] {
        assert_eq!(desk.run(&args).code, 2, "{args:?}");
    }
}

/// Ctrl-C keeps the last checkpoint; resuming gives the bytes of a run that was never stopped.
#[test]
#[cfg(unix)]
fn an_interrupted_run_goes_on() {
    let desk = Desk::new();
    desk.put("mirror.toml", MIRROR);
    // One thread needs about a second for it and looks at the signal every half.
    let mut args = vec![
        "sim",
        "feed",
        "mirror.toml",
        "--people",
        "1e6",
        "--steps",
        "1000",
        "--json=a.json",
        "--threads",
        "1",
        "--checkpoint",
        "kept",
    ];
    let mut child = desk.command(&args).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(sent.unwrap().success());
    let start = Instant::now();
    let code = child.wait().unwrap().code();
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(
        code,
        Some(130),
        "the run must not be over before the signal"
    );
    assert!(desk.path("kept").exists() && !desk.path("a.json").exists());

    // Another size is another run.
    let other = [
        "sim",
        "feed",
        "mirror.toml",
        "--checkpoint",
        "kept",
        "--resume",
    ];
    let refused = desk.run(&other);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("another run"), "{}", refused.stderr);

    args.push("--resume");
    assert_eq!(desk.run(&args).code, 0);
    let resumed = desk.read("a.json");
    args.truncate(10);
    assert_eq!(desk.run(&args).code, 0);
    assert!(resumed == desk.read("a.json"));
}

#[test]
fn worlds_of_opinion_are_one_line_apart() {
    let desk = Desk::new();
    let shipped = include_str!("../../../../scenarios/opinion.toml");
    let small = ["sim", "feed", "o.toml", "--people", "40", "--steps", "24"];
    for (world, part) in [
        ("baumann20", "nobody is heard"),
        ("jiang19_like", "Thompson"),
        ("rank2", "ties against animosity"),
        ("kleinberg24_like", "still there"),
    ] {
        desk.put(
            "o.toml",
            shipped.replace("\"baumann20\"", &format!("\"{world}\"")),
        );
        let run = desk.run(&small);
        assert_eq!(run.code, 0, "{world}: {}", run.stderr);
        for part in [part, "synthetic data", "8 replicates", "from start", world] {
            assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
        }
        assert!(!run.stdout.contains("NaN"), "{}", run.stdout);
        let go = |threads| {
            let run = desk.run(&[&small[..], &["--json", "--threads", threads]].concat());
            assert_eq!(run.code, 0, "{}", run.stderr);
            run.stdout
        };
        let json = go("1");
        assert_eq!(json, go("3"), "{world}");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["manifest"]["world"], world);
        assert_eq!(json["arms"][0]["looks"].as_array().unwrap().len(), 13);
    }
}

#[test]
fn friends_and_panels_of_a_world_of_opinion() {
    let desk = Desk::new();
    let friends = include_str!("../../../../scenarios/friends.toml");
    let list = friends.replace(
        "kind = \"small_world\"\ndegree = 10\nrewired = 0.05",
        "kind = \"edges\"\nfile = \"f.csv\"",
    );
    desk.put("o.toml", &list);
    desk.put("f.csv", "a,b\n0,1\n1,2\n2,3\n3,0\n");
    let small = [
        "sim", "feed", "o.toml", "--people", "4", "--steps", "30", "--quiet",
    ];
    let run = desk.run(&[&small[..], &["--events", "p.jsonl"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let first: serde_json::Value =
        serde_json::from_str(desk.read("p.jsonl").lines().nth(1).unwrap()).unwrap();
    assert_eq!(first["kind"], "impression", "{first}");
    let read = desk.run(&["record", "p.jsonl", "--out", "again.parquet"]);
    assert_eq!(read.code, 0, "{}", read.stderr);

    let three = desk.run(&["sim", "feed", "o.toml", "--people", "3"]);
    assert_eq!(three.code, 2);
    assert!(
        three.stderr.contains("the list of edges has person 3"),
        "{}",
        three.stderr
    );
    desk.put("f.csv", "0,1\n1;2\n");
    let wrong = desk.run(&small);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("f.csv: line 2: \"1;2\""),
        "{}",
        wrong.stderr
    );
    desk.put(
        "o.toml",
        "kind = \"opinion\"\nworld = \"baumann20\"\n[baumann20]\ndt = nan\n",
    );
    let wrong = desk.run(&["sim", "feed", "o.toml"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("o.toml: line 4: dt is nan"),
        "{}",
        wrong.stderr
    );
    for args in [
        vec!["sim", "feed", "o.toml", "--checkpoint", "kept"],
        vec!["sim", "feed", "o.toml", "--people", "1"],
        vec!["sim", "feed", "o.toml", "--events", "x.csv"],
    ] {
        desk.put(
            "o.toml",
            "kind = \"opinion\"\nworld = \"hazla_like\"\nsteps = 5\n",
        );
        let run = desk.run(&args);
        assert_eq!(run.code, 2, "{args:?}");
        assert!(run.stdout.is_empty());
    }
}
