use super::*;

fn format(json: &str) -> Option<Format> {
    match plan(json.as_bytes()) {
        Plan::Values(_, format) => format,
        Plan::Whole(format) | Plan::Stream(format) => Some(format),
        _ => None,
    }
}

#[test]
fn formats_are_told_by_their_inner_shape() {
    for (json, expected) in [
        (
            r#"[{"title":"","mapping":{"a":{"id":"a","message":null"#,
            Some(Format::ChatGpt),
        ),
        (
            r#"{"mapping":{"a":{"parent":null}}}"#,
            Some(Format::ChatGpt),
        ),
        (r#"[{"mapping":{}}]"#, None),
        (
            r#"{"chats":[{"chat_messages":[{"sender":"human","text":"x"}]}]}"#,
            Some(Format::Claude),
        ),
        (r#"[{"chat_messages":[{"text":"x"}]}]"#, None),
        (r#"[{"chat_messages":[]}]"#, None),
        (
            r#"[{"chat":{"history":{"messages":{"#,
            Some(Format::OpenWebUi),
        ),
        (
            r#"{"conversations":[{"conversation":{},"responses":["#,
            Some(Format::Grok),
        ),
        (r#"{"chunkedPrompt":{"chunks":[]}}"#, Some(Format::AiStudio)),
        (
            r#"{"sessionId":"","projectHash":"","messages":[]}"#,
            Some(Format::GeminiCli),
        ),
        (
            r#"[{"id":"","conversations":[{"from":"human","value":""}]}]"#,
            Some(Format::ShareGpt),
        ),
        (
            r#"{"user_name":"","character_name":""}"#,
            Some(Format::SillyTavern),
        ),
        (r#"{"resourceSpans":[]}"#, Some(Format::Otel)),
        (
            r#"{"request":{"messages":[{"role":"user"}]}}"#,
            Some(Format::RequestLog),
        ),
        (
            r#"[{"request":{"messages":[{"role":"user"}]}}, {"#,
            Some(Format::RequestLog),
        ),
        (
            r#" [ {"messages":[{"role":"user"}],"response":"x"}]"#,
            Some(Format::RequestLog),
        ),
        (
            r#"[{"request_body":"{}","response_body":"{}"}]"#,
            Some(Format::RequestLog),
        ),
        (r#"[{"role":"user","content":"x"}]"#, None),
        (r#"{"histories":{"histories":[]}}"#, Some(Format::CaiTools)),
        (
            r#"{"external_id":"","msgs":[{"text":"","src":{"name":"","is_human":true}}]}"#,
            Some(Format::CaiTools),
        ),
        (
            r#"[{"msgs":[{"src":{"is_human":false}}]}]"#,
            Some(Format::CaiTools),
        ),
        (
            r#"{"request_body":{"messages":[{"role":"user"}]}}"#,
            Some(Format::RequestLog),
        ),
        (
            r#"{"request":"{\"messages\":[]}","response":"{}"}"#,
            Some(Format::RequestLog),
        ),
        (
            r#"{"body":{"model":"","input":""}}"#,
            Some(Format::RequestLog),
        ),
        (r#"[{"header":"YouTube","title":""}]"#, None),
    ] {
        assert_eq!(format(json), expected, "{json}");
    }
}

#[test]
fn every_prefix_is_decided_without_a_panic() {
    let json = r#"[{"a\"b":[{"c":[1,"x\\"]}],"mapping":{"é":{"parent":null}}}]"#;
    for cut in 0..json.len() {
        plan(&json.as_bytes()[..cut]);
    }
    assert_eq!(plan(b"[]"), Plan::No(Unreadable::EmptyHistory));
    assert_eq!(
        plan(b"{\"conversations\":[]}"),
        Plan::No(Unreadable::EmptyHistory)
    );
}
