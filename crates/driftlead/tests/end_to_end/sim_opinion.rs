//! Scenarios of kind `opinion`.

use crate::program::Desk;

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
    let run = desk.run(&[&small[..], &["--events", "p.jsonl", "--out", "o.html"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let page = desk.read("o.html");
    let figures = page.matches("<svg").count();
    assert!(figures > 6 && page.matches("<table").count() == figures);
    for part in ["natural course, by arm", "synthetic data"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("NaN") && !page.contains("http:"));
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
