//! Planted strings: words of a person must not turn up in anything that the program writes.

use serde_json::{Value, json};
use zip::CompressionMethod;

use crate::export::{START, conversation, history, plain, zip};
use crate::program::{Desk, Run};

const MARK: &str = "zanzibar-canary";

/// An export with the mark in every place where people write.
fn marked(weeks: usize) -> Value {
    let says = |role: &str, n: usize| format!("{} The {MARK}-text is in the oven.", plain(role, n));
    let mut export = history(0..weeks, &says);
    for (n, conversation) in export.as_array_mut().unwrap().iter_mut().enumerate() {
        conversation["title"] = json!(format!("{MARK}-title {n}"));
        let mapping = conversation["mapping"].as_object_mut().unwrap();
        let root = mapping.keys().find(|k| k.ends_with("-0")).unwrap().clone();
        mapping[&root]["message"] = json!({
            "id": format!("instructions-{n}"),
            "author": {"role": "system", "name": format!("{MARK}-name"), "metadata": {}},
            "create_time": START,
            "content": {"content_type": "user_editable_context",
                "user_profile": format!("{MARK}-profile"),
                "user_instructions": format!("{MARK}-instructions")},
            "weight": 0.0,
            "metadata": {"is_visually_hidden_from_conversation": true,
                "user_context_message_data": {"about_user_message": format!("{MARK}-about")}},
        });
    }
    export
}

fn assert_silent(desk: &Desk, run: &Run, inputs: &[&str]) {
    assert!(
        !run.stdout.contains(MARK),
        "standard output: {}",
        run.stdout
    );
    assert!(!run.stderr.contains(MARK), "standard error: {}", run.stderr);
    for (name, content) in desk.everything() {
        if !inputs.contains(&name.as_str()) {
            let found = content.windows(MARK.len()).any(|w| w == MARK.as_bytes());
            assert!(!found, "{name} holds a planted string");
        }
    }
}

#[test]
fn a_report_holds_no_words() {
    let desk = Desk::new();
    let json = serde_json::to_vec(&marked(20)).unwrap();
    desk.put(
        "export.zip",
        zip("conversations.json", &json, CompressionMethod::Deflated),
    );
    for args in [
        vec!["me", "export.zip", "--json=me.json", "-v", "--zone", "UTC"],
        vec!["me", "export.zip", "--json"],
        vec!["record", "export.zip", "--out", "record.jsonl"],
        vec!["record", "export.zip", "--out", "record.parquet", "-v"],
    ] {
        let run = desk.run(&args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        assert_silent(&desk, &run, &["export.zip"]);
    }
    for name in ["report.html", "me.json", "record.jsonl", "record.parquet"] {
        assert!(
            desk.names().contains(&name.to_owned()),
            "{name} was not written"
        );
    }
    assert!(desk.is_clean());
}

/// The test can fail: where text is asked for, the planted strings are there.
#[test]
fn a_record_with_text_holds_the_words() {
    let desk = Desk::new();
    desk.put(
        "conversations.json",
        serde_json::to_vec(&marked(2)).unwrap(),
    );
    let run = desk.run(&[
        "record",
        "conversations.json",
        "--text",
        "--out",
        "record.jsonl",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(desk.read("record.jsonl").contains(MARK));
}

#[test]
fn an_error_holds_no_words() {
    let whole = serde_json::to_vec(&marked(1)).unwrap();
    let says = |_: &str, _: usize| format!("{MARK} {MARK}");
    let single = serde_json::to_vec(&json!([conversation(1, START, 3, &says)])).unwrap();
    let in_text = single
        .windows(MARK.len())
        .position(|w| w == MARK.as_bytes())
        .unwrap()
        + 5;
    let mut not_utf8 = single.clone();
    not_utf8[in_text] = 0xff;
    let broken = String::from_utf8(single.clone())
        .unwrap()
        .replace(": ", ":")
        .replacen(MARK, "\" zanzibar-canary", 1);
    let unknown = json!([{"who": MARK, "what": format!("{MARK} {MARK}")}]).to_string();
    for (name, content) in [
        ("cut.json", whole[..whole.len() / 3].to_vec()),
        ("in-text.json", single[..in_text].to_vec()),
        ("not-utf8.json", not_utf8),
        ("broken.json", broken.into_bytes()),
        ("unknown.json", unknown.into_bytes()),
        ("text.txt", format!("{MARK}\n{MARK} {MARK}\n").into_bytes()),
        (
            "lines.jsonl",
            format!("{{\"mes\": \"{MARK}\n{MARK}\n").into_bytes(),
        ),
    ] {
        let desk = Desk::new();
        desk.put(name, content);
        let run = desk.run(&["me", name, "-v"]);
        assert_eq!(run.code, 2, "{name}: {}", run.stdout);
        assert_silent(&desk, &run, &[name]);
    }
}
