//! Shapes of one format that differ from each other are read by the program, not only by their importer.

use serde_json::{Value, json};

use crate::program::{Desk, Run};

/// Reads a file, which is too short to be judged, and returns what was printed.
fn read(name: &str, content: &str) -> Run {
    let desk = Desk::new();
    desk.put(name, content);
    let run = desk.run(&["me", name]);
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    run
}

fn holds(run: &Run, parts: &[&str]) {
    for part in parts {
        assert!(
            run.stdout.contains(part),
            "{part} is not in:\n{}",
            run.stdout
        );
    }
}

#[test]
fn one_history_of_a_character() {
    let message = |text: &str, human: bool| json!({"text": text, "src": {"name": if human { "Ada" } else { "Mira" }, "is_human": human}});
    let history = json!({
        "external_id": "history-1",
        "created": "2023-03-01T10:00:00.000000+00:00",
        "msgs": [message("Hello, traveller.", false), message("Where am I?", true), message("At the inn.", false)],
    });
    let turn = |n: u32, human: bool, text: &str| {
        let time = format!("2024-10-08T15:0{n}:00Z");
        json!({
            "turn_key": {"chat_id": "chat-1", "turn_id": format!("t{n}")},
            "create_time": time,
            "author": {"name": if human { "Ada" } else { "Mira" }, "is_human": human},
            "candidates": [{"candidate_id": format!("c{n}"), "create_time": time, "raw_content": text}],
            "primary_candidate_id": format!("c{n}"),
        })
    };
    let turns = json!({"turns": [turn(3, false, "At the inn."), turn(2, true, "Where am I?"), turn(1, false, "Hello.")]});
    let dump = json!({
        "info": {"character": {"name": "Mira"}},
        "histories": {"histories": [history]},
    });
    for value in [history.clone(), dump, turns] {
        holds(
            &read("chat.json", &value.to_string()),
            &[
                "(a character.ai dump of CAI Tools)",
                "1 conversation = 1 read + 0 skipped",
                "3 entries = 3 read + 0 skipped",
            ],
        );
    }
}

/// One logged request and its answer, where common loggers put them.
fn logged() -> Vec<Value> {
    let request = json!({"model": "model-a", "user": "ada", "messages": [{"role": "user", "content": "When do I sow peas?"}]});
    let response = json!({"id": "r1", "model": "model-a-1", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "In [late] March."}, "finish_reason": "stop"}]});
    let time = "2026-03-01T10:00:00Z";
    let mut beside = request.clone();
    beside["time"] = json!(time);
    beside["response"] = response.clone();
    let mut flat = request.clone();
    flat["time"] = json!(time);
    flat["choices"] = response["choices"].clone();
    vec![
        json!({"time": time, "request": request, "response": response}),
        json!({"time": time, "request": {"body": request}, "response": {"body": response}}),
        json!({"time": time, "request_body": request, "response_body": response}),
        json!({"time": time, "requestBody": request.to_string(), "responseBody": response.to_string()}),
        beside,
        flat,
    ]
}

#[test]
fn request_logs_as_lines_and_as_an_array() {
    for value in logged() {
        let parts = [
            "(a request log)",
            "1 conversation = 1 read + 0 skipped",
            "2 entries = 2 read + 0 skipped",
        ];
        holds(&read("log.jsonl", &format!("{value}\n")), &parts);
        holds(&read("log.json", &json!([value]).to_string()), &parts);
    }
    let all = Value::Array(logged());
    // Six loggers of one exchange: it is read once.
    let once = ["(a request log)", "2 read + "];
    holds(&read("log.json", &format!("{all:#}")), &once);
}

#[test]
fn a_request_log_that_is_cut_short_tells_where() {
    let text = json!([logged()[0]]).to_string();
    let cut = &text[..text.len() - 40];
    let desk = Desk::new();
    desk.put("log.json", cut);
    let run = desk.run(&["me", "log.json"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    let place = format!("byte {}", cut.len());
    assert!(
        run.stderr.contains("log.json") && run.stderr.contains(&place),
        "{}",
        run.stderr
    );
    // What stood before the cut is read.
    let both = format!("{}, {}", text.trim_end_matches(']'), &cut[1..]);
    let place = format!("log.json, byte {}", both.len());
    let parts = ["3 entries = 2 read + 1 skipped (malformed_json 1)", &place];
    holds(&read("log.json", &both), &parts);
}
