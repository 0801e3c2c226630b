use serde_json::Value;

use crate::program::Desk;

#[test]
fn the_same_bytes_every_time_and_at_any_number_of_threads() {
    let desk = Desk::new();
    let mut pages = Vec::new();
    for (name, threads) in [("a", "1"), ("b", "1"), ("c", "2"), ("d", "5")] {
        let (page, json) = (format!("{name}.html"), format!("--json={name}.json"));
        let args = [
            "demo",
            "--people",
            "10",
            "--threads",
            threads,
            "--out",
            &page,
            &json,
        ];
        let run = desk.run(&args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let shown = run.stdout.replace(&page, "");
        pages.push((desk.read(&page), desk.read(&format!("{name}.json")), shown));
    }
    assert!(pages.windows(2).all(|w| w[0] == w[1]));
    let other = desk.run(&["demo", "--people", "10", "--seed", "2", "--out", "e.html"]);
    assert_eq!(other.code, 0);
    assert_ne!(desk.read("e.html"), pages[0].0);
    assert!(desk.is_clean());
}

#[test]
fn the_page_says_that_it_is_synthetic_and_asks_for_nothing() {
    let desk = Desk::new();
    let run = desk.run(&["demo", "--people", "10"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.is_empty(), "progress in a pipe: {}", run.stderr);
    assert!(run.stdout.contains("synthetic data") && run.stdout.contains("demo.html"));
    assert!(
        run.stdout.lines().all(|l| l.chars().count() <= 100),
        "{}",
        run.stdout
    );
    let page = desk.read("demo.html");
    assert!(page.contains("synthetic data"));
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
    assert!(page.len() < 1_000_000);
}

/// The planted change is found in the group where it was planted, and nowhere else.
#[test]
fn the_cohort_shows_what_was_planted() {
    let desk = Desk::new();
    let run = desk.run(&[
        "demo",
        "--people",
        "60",
        "--exit-code",
        "--json=demo.json",
        "-q",
    ]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.is_empty());
    let content: Value = serde_json::from_str(&desk.read("demo.json")).unwrap();
    let row = |group: usize, id: &str| -> Value {
        let rows = content["groups"][group]["cohort"]["rows"]
            .as_array()
            .unwrap();
        rows.iter()
            .find(|r| r["id"] == id)
            .unwrap_or_else(|| panic!("no row {id}"))
            .clone()
    };
    assert_eq!(content["groups"][0]["changed"], true);
    assert_eq!(content["groups"][0]["cohort"]["people"], 18);
    for id in ["friend_like", "praise_agree.share"] {
        let planted = row(0, id);
        assert!(planted["low_sd"].as_f64().unwrap() > 0.5, "{planted}");
        assert!(planted["high_sd"].as_f64().unwrap() < 4.0, "{planted}");
        let none = row(1, id);
        assert!(none["low_sd"].as_f64().unwrap() < 0.0, "{none}");
        assert!(none["high_sd"].as_f64().unwrap() > 0.0, "{none}");
    }
    let person = row(0, "small_words.i");
    assert!(person["low_sd"].as_f64().unwrap() < 0.0 && person["high_sd"].as_f64().unwrap() > 0.0);
    let truths = content["people"].as_array().unwrap();
    assert_eq!(truths.iter().filter(|t| t["changed"] == true).count(), 18);
    let accounting = &content["accounting"]["units"];
    assert_eq!(accounting["seen"], accounting["parsed"]);
}

/// Ctrl-C leaves neither half a page nor the simulated records.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing() {
    let desk = Desk::new();
    let mut child = desk
        .command(&["demo", "--people", "20000"])
        .spawn()
        .unwrap();
    let started = std::time::Instant::now();
    while desk.is_clean() {
        assert!(
            started.elapsed().as_secs() < 60,
            "the program never started its work"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let id = child.id().to_string();
    let kill = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status()
        .unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        desk.names().is_empty() && desk.is_clean(),
        "{:?}",
        desk.everything()
    );
}
