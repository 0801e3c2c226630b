//! Hostile, broken and odd input: a clear error with file and position, or a page; never a crash.

use serde_json::{Value, json};
use zip::CompressionMethod;

use crate::export::{START, WEEK, conversation, history, plain, zip};
use crate::program::{Desk, Run};

fn me(desk: &Desk, name: &str) -> Run {
    desk.run(&["me", name])
}

/// The run is refused; the message names the file and says each of `parts`; no page is left.
fn refused(desk: &Desk, name: &str, parts: &[&str]) {
    let run = me(desk, name);
    assert_eq!(run.code, 2, "{name}: {}{}", run.stdout, run.stderr);
    for part in parts.iter().chain([&name]) {
        assert!(
            run.stderr.contains(part),
            "{part:?} is not in: {}",
            run.stderr
        );
    }
    assert!(
        !desk.names().contains(&"report.html".to_owned()),
        "{name} left a page"
    );
    assert!(desk.is_clean());
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

#[test]
fn a_missing_file() {
    refused(&Desk::new(), "nothing.zip", &["no such file"]);
}

#[test]
fn a_truncated_archive() {
    let desk = Desk::new();
    let whole = zip(
        "conversations.json",
        &bytes(&history(0..4, &plain)),
        CompressionMethod::Deflated,
    );
    desk.put("cut.zip", &whole[..whole.len() / 2]);
    refused(&desk, "cut.zip", &[]);
}

#[test]
fn a_decompression_bomb() {
    let desk = Desk::new();
    let mut content = bytes(&history(0..1, &plain));
    content.pop();
    content.resize(400_000_000, b' ');
    desk.put(
        "bomb.zip",
        zip("conversations.json", &content, CompressionMethod::Zstd),
    );
    drop(content);
    let started = std::time::Instant::now();
    let run = me(&desk, "bomb.zip");
    assert!(started.elapsed().as_secs() < 30);
    assert_ne!(run.code, 0, "{}", run.stdout);
    assert!(
        format!("{}{}", run.stdout, run.stderr).contains("limit"),
        "{}{}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn json_cut_inside_a_string() {
    let desk = Desk::new();
    let whole = bytes(&json!([conversation(1, START, 12, &plain)]));
    desk.put("conversations.json", &whole[..whole.len() * 2 / 3]);
    refused(&desk, "conversations.json", &["byte"]);
}

#[test]
fn a_cut_after_many_conversations_is_said_on_the_first_screen() {
    let desk = Desk::new();
    let whole = bytes(&history(0..20, &plain));
    desk.put("conversations.json", &whole[..whole.len() - 700]);
    let run = me(&desk, "conversations.json");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("cut short") && run.stdout.contains("byte"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("malformed_json 1"), "{}", run.stdout);
}

#[test]
fn another_encoding() {
    let desk = Desk::new();
    let text = history(0..2, &plain).to_string();
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    desk.put("conversations.json", utf16);
    refused(&desk, "conversations.json", &["UTF-16", "UTF-8"]);
}

#[test]
fn an_empty_history() {
    let desk = Desk::new();
    desk.put("conversations.json", "[]");
    refused(&desk, "conversations.json", &["no conversations"]);
    desk.put("empty.json", "");
    refused(&desk, "empty.json", &["empty"]);
}

#[test]
fn an_export_that_is_not_known_yet() {
    let desk = Desk::new();
    let unknown = json!([{"thread_id": "t1", "turns": [{"who": "me", "what": "The dough."}]}]);
    desk.put("export.json", bytes(&unknown));
    refused(&desk, "export.json", &["format", "thread_id"]);
}

#[test]
fn impossible_times_are_counted_and_used_for_nothing() {
    for time in [
        json!(-1.0e15),
        json!(9.0e17),
        json!(1e308),
        json!("not a time"),
        Value::Null,
    ] {
        let desk = Desk::new();
        let mut export = history(0..14, &plain);
        for conversation in export.as_array_mut().unwrap() {
            conversation["create_time"] = time.clone();
            conversation["update_time"] = time.clone();
            for node in conversation["mapping"]
                .as_object_mut()
                .unwrap()
                .values_mut()
            {
                if let Some(stamp) = node.pointer_mut("/message/create_time") {
                    *stamp = time.clone();
                }
            }
        }
        desk.put("conversations.json", bytes(&export));
        let run = me(&desk, "conversations.json");
        assert_eq!(run.code, 3, "{time}: {}", run.stdout);
        assert!(
            run.stdout.contains("none with a usable time"),
            "{time}: {}",
            run.stdout
        );
        assert!(
            run.stderr.contains("too little to measure"),
            "{time}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_time_that_is_no_number_breaks_one_conversation_only() {
    let desk = Desk::new();
    let text = history(0..14, &plain)
        .to_string()
        .replacen("1704097240.0", "NaN", 1);
    assert!(text.contains("NaN"));
    desk.put("conversations.json", text);
    let run = me(&desk, "conversations.json");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout
            .contains("28 conversations = 27 read + 1 skipped (malformed_json 1)"),
        "{}",
        run.stdout
    );
}

#[test]
fn one_message_is_too_little() {
    let desk = Desk::new();
    let mut one = conversation(1, START, 1, &plain);
    one["mapping"].as_object_mut().unwrap().remove("n1-2");
    desk.put("conversations.json", bytes(&json!([one])));
    let run = me(&desk, "conversations.json");
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("too little") && run.stderr.contains("report.html"));
    assert!(
        run.stdout.contains("1 messages in 1 conversations"),
        "{}",
        run.stdout
    );
}

#[test]
fn ten_years_with_gaps() {
    let desk = Desk::new();
    let weeks = (0..520).filter(|w| w % 5 == 0 && !(150..260).contains(w));
    desk.put("conversations.json", bytes(&history(weeks, &plain)));
    let run = me(&desk, "conversations.json");
    assert_eq!(run.code, 0, "{}", run.stderr);
    let flat = run.stdout.replace('\n', " ");
    assert!(
        flat.contains("82 with messages, 434 without"),
        "{}",
        run.stdout
    );
    let longest = run
        .stdout
        .lines()
        .max_by_key(|l| l.chars().count())
        .unwrap();
    assert!(longest.chars().count() <= 100, "{longest}");
    assert!(desk.read("report.html").len() < 1_000_000);
}

#[test]
fn emoji_right_to_left_and_control_characters() {
    let desk = Desk::new();
    let says = |role: &str, n: usize| match n % 4 {
        0 => "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 \u{1F600}\u{200D}".repeat(6),
        1 => "\u{202E}שלום, מה שלומך היום? \u{200F}العربية من اليمين إلى اليسار".to_owned(),
        2 => "\u{0}\u{1b}[2J\u{85}\u{feff}e\u{301}\u{fffd}".repeat(4),
        _ => plain(role, n),
    };
    desk.put("conversations.json", bytes(&history(0..14, &says)));
    let run = me(&desk, "conversations.json");
    assert!([0, 3].contains(&run.code), "{}", run.stderr);
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'));
}

#[test]
fn hostile_names_stay_text() {
    let desk = Desk::new();
    let mut export = history(0..14, &plain);
    for conversation in export.as_array_mut().unwrap() {
        conversation["title"] = json!("<script>alert(1)</script>");
        for node in conversation["mapping"]
            .as_object_mut()
            .unwrap()
            .values_mut()
        {
            if let Some(slug) = node.pointer_mut("/message/metadata/model_slug") {
                *slug = json!("<img src=x onerror=alert(1)>\u{1b}[31m\u{7}");
            }
        }
    }
    desk.put("conversations.json", bytes(&export));
    let run = me(&desk, "conversations.json");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{7}'));
    let page = desk.read("report.html");
    assert!(!page.contains("<img") && !page.contains("<script"));
}

#[test]
fn a_far_future_week_does_not_fill_the_page() {
    let desk = Desk::new();
    let mut export = history(0..14, &plain);
    let late = conversation(999, START + 2000.0 * WEEK, 12, &plain);
    export.as_array_mut().unwrap().push(late);
    desk.put("conversations.json", bytes(&export));
    let run = me(&desk, "conversations.json");
    assert!([0, 3].contains(&run.code), "{}", run.stderr);
    assert!(desk.read("report.html").len() < 2_000_000);
}
