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
        vec!["sim", "feed", "c.toml", "--events", "x.csv"],
        vec!["sim", "feed", "m.toml", "--events", "x.csv"],
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
    assert_eq!(json["arms"].as_array().unwrap().len(), 10);
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
        run.stderr.contains("bad.toml: line 37: rate is -1"),
        "{}",
        run.stderr
    );
    for extra in [["--steps", "71"], ["--events", "x.csv"]] {
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

/// Kinds without a clock and kinds with several places a step: the same record, and the same readers.
#[test]
fn every_kind_has_a_panel_and_a_page() {
    let desk = Desk::new();
    let catalogue = include_str!("../../../../scenarios/catalogue.toml");
    desk.put(
        "mirror.toml",
        "kind = \"mirror\"\nlambda = \"grid\"\npanel = 3\n",
    );
    desk.put("mirror4.toml", "kind = \"mirror4\"\npanel = 3\n");
    desk.put(
        "catalogue.toml",
        catalogue.replace("panel = 100", "panel = 3"),
    );
    // Rows: 70 steps of three people, three places of a step in the catalogue, two rows for each.
    for (kind, people, rows, figures) in [
        ("mirror", "5000", "420 rows", 7),
        ("mirror4", "5000", "420 rows", 10),
        ("catalogue", "8", "1,260 rows", 10),
    ] {
        let (scenario, page) = (format!("{kind}.toml"), format!("{kind}.html"));
        let panel = format!("{kind}.parquet");
        let run = desk.run(&[
            "sim", "feed", &scenario, "--people", people, "--steps", "70", "--events", &panel,
            "--out", &page,
        ]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.contains(rows), "{}", run.stdout);
        let read = desk.run(&["record", &panel, "--out", "copy.jsonl"]);
        assert_eq!(read.code, 0, "{}", read.stderr);
        let events = desk.read("copy.jsonl");
        let reactions = events.matches("\"reaction\"").count();
        assert!(
            reactions > 0 && events.contains("\"propensity\":"),
            "{kind}"
        );
        // Nothing is said in a feed, so that there is nothing to measure.
        let me = desk.run(&["me", &panel, "--account", "simulated-0", "--out", "me.html"]);
        assert_eq!(me.code, 3, "{} {}", me.stdout, me.stderr);

        let html = desk.read(&page);
        assert_eq!(html.matches("<svg").count(), figures, "{kind}");
        assert_eq!(html.matches("<table").count(), figures, "{kind}");
        for part in ["How likely people are shown", "synthetic data", "adds up"] {
            assert!(html.contains(part), "{kind} {part}");
        }
        assert_eq!(
            html.contains("Where people end"),
            kind != "mirror",
            "{kind}"
        );
        assert!(!html.contains("NaN") && !html.contains("http:"), "{kind}");
    }
}

#[test]
fn a_phase_diagram_of_the_sensitising_world() {
    let desk = Desk::new();
    desk.put(
        "b.toml",
        include_str!("../../../../scenarios/bandit4s.toml"),
    );
    let run = desk.run(&[
        "sim",
        "feed",
        "b.toml",
        "--people",
        "60",
        "--out",
        "p.html",
        "--json=p.json",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("eta 0.005"), "{}", run.stdout);
    let json: serde_json::Value = serde_json::from_str(&desk.read("p.json")).unwrap();
    let share = |i: usize| json["phase"][i]["elsewhere"]["mean"].as_f64().unwrap();
    // Without sensitisation a small step ends right; with a large one and much of it a third do not.
    assert!(share(0) < 0.02 && share(14) > 0.2, "{json}");
    let html = desk.read("p.html");
    assert!(html.contains("The line is at 5 %") && html.matches("<svg").count() == 1);
    assert_eq!(
        desk.run(&["sim", "feed", "b.toml", "--events", "x.jsonl"])
            .code,
        2
    );
}
