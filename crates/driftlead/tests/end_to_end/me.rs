use serde_json::Value;
use zip::CompressionMethod;

use crate::export::{history, pairs, plain, zip};
use crate::program::Desk;

/// Messages of a history.
fn messages(weeks: impl Iterator<Item = usize>) -> usize {
    weeks.map(|w| 2 * (pairs(w, 0) + pairs(w, 1))).sum()
}

fn export(desk: &Desk, weeks: impl IntoIterator<Item = usize>) {
    let json = serde_json::to_vec(&history(weeks, &plain)).unwrap();
    desk.put(
        "export.zip",
        zip("conversations.json", &json, CompressionMethod::Deflated),
    );
}

fn grouped(n: usize) -> String {
    format!("{},{:03}", n / 1000, n % 1000)
}

#[test]
fn a_chatgpt_archive_becomes_a_page_a_summary_and_data() {
    let desk = Desk::new();
    export(&desk, (0..30).filter(|w| *w != 11));
    let run = desk.run(&[
        "me",
        "export.zip",
        "--zone",
        "Europe/Berlin",
        "--json=me.json",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.is_empty());
    let messages = messages((0..30).filter(|w| *w != 11));
    let entries = format!(
        "{} entries = {} read + 58 skipped (structural_root 58)",
        grouped(messages + 58),
        grouped(messages)
    );
    for part in [
        entries.as_str(),
        "export.zip!conversations.json (a ChatGPT export)",
        "58 conversations = 58 read + 0 skipped",
        "29 with messages, 1 without",
        "versions: example-1 from 2024-01-01",
        "95 % probability",
        "page  report.html",
    ] {
        assert!(
            run.stdout.contains(part),
            "{part} is not in:\n{}",
            run.stdout
        );
    }
    assert!(
        run.stdout.lines().all(|l| l.chars().count() <= 100),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains('\u{1b}'), "no colour in a pipe");

    let content: Value = serde_json::from_str(&desk.read("me.json")).unwrap();
    assert_eq!(content["import"]["conversations"], 58);
    let course = &content["courses"][0];
    assert_eq!(course["coverage"]["messages"], messages);
    assert_eq!(course["coverage"]["empty_weeks"], 1);
    let lines = course["lines"].as_array().unwrap();
    let questions = lines
        .iter()
        .find(|l| l["series"]["id"] == "questions.per_reply")
        .unwrap();
    let points = questions["series"]["points"].as_array().unwrap();
    assert_eq!(points.len(), 29);
    assert!(
        points.iter().all(|p| p["value"] == 1.0),
        "one question in every reply"
    );
    assert!(desk.is_clean());
}

#[test]
fn json_alone_goes_to_standard_output() {
    let desk = Desk::new();
    export(&desk, 0..14);
    let run = desk.run(&["me", "export.zip", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let content: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(content["verb"], "me");
}

#[test]
fn the_order_of_files_and_the_number_of_threads_change_nothing() {
    let desk = Desk::new();
    let first = serde_json::to_vec(&history(0..10, &plain)).unwrap();
    let second = serde_json::to_vec(&history(10..20, &plain)).unwrap();
    desk.put("conversations-000.json", first);
    desk.put("conversations-001.json", second);
    let courses = |paths: [&str; 2], threads: &str| -> Value {
        let run = desk.run(&["me", paths[0], paths[1], "--threads", threads, "--json"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let content: Value = serde_json::from_str(&run.stdout).unwrap();
        content["courses"].clone()
    };
    let (a, b) = ("conversations-000.json", "conversations-001.json");
    let base = courses([a, b], "1");
    assert_eq!(base, courses([a, b], "2"));
    assert_eq!(base, courses([b, a], "3"));
}

#[test]
fn a_record_gives_the_same_course_as_its_export() {
    let desk = Desk::new();
    export(&desk, 0..16);
    let direct = desk.run(&["me", "export.zip", "--json"]);
    let direct: Value = serde_json::from_str(&direct.stdout).unwrap();
    for name in ["record.parquet", "record.jsonl"] {
        let written = desk.run(&["record", "export.zip", "--text", "--out", name]);
        assert_eq!(written.code, 0, "{}", written.stderr);
        let rows = format!("{} rows, with text", messages(0..16));
        assert!(written.stdout.contains(&rows), "{}", written.stdout);
        let run = desk.run(&["me", name, "--json"]);
        assert_eq!(run.code, 0, "{name}: {}", run.stderr);
        let content: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(content["courses"], direct["courses"], "{name}");
        // The same inside an archive, from which a table cannot be read in place.
        let bytes = std::fs::read(desk.path(name)).unwrap();
        desk.put("record.zip", zip(name, &bytes, CompressionMethod::Deflated));
        let run = desk.run(&["me", "record.zip", "--json"]);
        assert_eq!(run.code, 0, "{name}: {}", run.stderr);
        let content: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            content["courses"], direct["courses"],
            "{name} in an archive"
        );
    }
}

#[test]
fn parts_of_counts_are_in_the_data_without_a_verdict() {
    let desk = Desk::new();
    export(&desk, 0..14);
    let run = desk.run(&["me", "export.zip", "--json"]);
    let content: Value = serde_json::from_str(&run.stdout).unwrap();
    let shown = content["courses"][0]["shown"].as_array().unwrap();
    assert!(shown.iter().any(|s| s["id"] == "small_words.we"));
    assert!(shown.iter().all(|s| s["rank"] == "secondary"));
}

#[test]
fn inputs_are_never_written_over() {
    let desk = Desk::new();
    export(&desk, 0..3);
    let before = std::fs::read(desk.path("export.zip")).unwrap();
    for args in [
        vec!["me", "export.zip", "--out", "./export.zip"],
        vec!["me", "export.zip", "--json=export.zip"],
    ] {
        let run = desk.run(&args);
        assert_eq!(run.code, 2, "{args:?}");
        assert!(
            run.stderr.contains("would be overwritten"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(std::fs::read(desk.path("export.zip")).unwrap(), before);
    assert_eq!(desk.names(), ["export.zip"]);
}

#[test]
fn several_accounts_are_refused_until_one_is_named() {
    let desk = Desk::new();
    let row = |person: &str, n: usize| {
        serde_json::json!({"uuid": format!("{person}-{n}"), "name": "x",
            "created_at": "2024-01-01T10:00:00Z", "updated_at": "2024-01-01T10:00:00Z",
            "account": {"uuid": person},
            "chat_messages": [{"uuid": format!("{person}-{n}-m"), "sender": "human",
                "text": "The dough is in the oven.", "created_at": "2024-01-01T10:00:00Z"}]})
    };
    let rows = vec![row("first", 1), row("second", 1), row("first", 2)];
    desk.put("conversations.json", serde_json::to_vec(&rows).unwrap());
    let run = desk.run(&["me", "conversations.json"]);
    assert_eq!(run.code, 2);
    for part in ["2 accounts", "first, second", "--account"] {
        assert!(run.stderr.contains(part), "{part} is not in {}", run.stderr);
    }
    assert_eq!(desk.names(), ["conversations.json"]);
    let named = desk.run(&["me", "conversations.json", "--account", "first"]);
    assert_eq!(named.code, 3, "{}", named.stderr);
    assert!(
        named
            .stdout
            .contains("3 conversations = 2 read + 1 skipped (other_account 1)")
    );
    let nobody = desk.run(&["me", "conversations.json", "--account", "third"]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.stderr.contains("third"), "{}", nobody.stderr);
}

#[test]
fn several_persons_in_a_record_are_refused() {
    let desk = Desk::new();
    export(&desk, 0..2);
    desk.run(&["record", "export.zip", "--text", "--out", "one.jsonl"]);
    let one = desk.read("one.jsonl");
    let mut rows: Vec<Value> = one
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    for (n, row) in rows.iter_mut().skip(1).enumerate() {
        row["person"] = if n < 20 { "left" } else { "right" }.into();
    }
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    desk.put("two.jsonl", lines.join("\n"));
    let run = desk.run(&["me", "two.jsonl"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(
        run.stderr.contains("left, right") && run.stderr.contains("--account"),
        "{}",
        run.stderr
    );
}
