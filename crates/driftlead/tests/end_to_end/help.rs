use std::process::Stdio;

use crate::program::Desk;

const VERBS: [&str; 7] = ["me", "demo", "metrics", "record", "sim", "gate", "verify"];

#[test]
fn help_fits_a_small_screen_and_has_an_example() {
    let desk = Desk::new();
    let mut calls: Vec<Vec<&str>> = VERBS.iter().map(|verb| vec![*verb, "--help"]).collect();
    calls.push(vec!["--help"]);
    calls.push(vec!["sim", "feed", "--help"]);
    for call in calls {
        let run = desk.run(&call);
        assert_eq!(run.code, 0);
        let lines: Vec<&str> = run.stdout.lines().collect();
        assert!(lines.len() <= 24, "{call:?}: {} lines", lines.len());
        for line in &lines {
            assert!(line.chars().count() <= 80, "{call:?}: {line}");
        }
        assert!(run.stdout.contains("Example: driftlead "), "{call:?}");
    }
    assert!(desk.names().is_empty());
}

#[test]
fn wrong_use_is_2() {
    let desk = Desk::new();
    for call in [
        vec![],
        vec!["mee"],
        vec!["me"],
        vec!["demo", "--people", "0"],
        vec!["demo", "--delta", "-1"],
        vec!["demo", "--frobnicate"],
        vec!["me", "x.zip", "-q", "-v"],
        vec!["me", "x.zip", "--zone", "Nowhere/Land"],
        vec!["record", "x.zip", "--out", "x.csv"],
    ] {
        let run = desk.run(&call);
        assert_eq!(run.code, 2, "{call:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty() && run.stdout.is_empty(), "{call:?}");
    }
    assert!(desk.names().is_empty(), "{:?}", desk.names());
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let desk = Desk::new();
    let mut child = desk
        .command(&["demo", "--people", "4", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let end = child.wait_with_output().unwrap();
    assert_eq!(end.status.code(), Some(0));
    assert!(
        end.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&end.stderr)
    );
}

#[test]
fn every_metric_has_a_card_to_read() {
    let desk = Desk::new();
    let list = desk.run(&["metrics"]);
    assert_eq!(list.code, 0);
    let json = desk.run(&["metrics", "--json"]);
    let content: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let cards = content["cards"].as_array().unwrap();
    assert!(cards.len() >= 10 && !content["missing"].as_array().unwrap().is_empty());
    assert_eq!(desk.run(&["metrics", "--markdown", "cards"]).code, 0);
    for card in cards {
        let id = card["id"].as_str().unwrap();
        assert!(list.stdout.contains(id), "{id} is not listed");
        let one = desk.run(&["metrics", id]);
        assert_eq!(one.code, 0, "{}", one.stderr);
        assert!(
            one.stdout
                .contains(card["instrument_hash"].as_str().unwrap())
        );
        assert_eq!(one.stdout, desk.read(&format!("cards/{id}.md")));
    }
    let unknown = desk.run(&["metrics", "friendliness"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("friend_like"), "{}", unknown.stderr);
}
