//! Entry points for fuzz targets: every importer takes any bytes, gives rows or an error, and its
//! account balances.

use std::sync::Arc;

use crate::detect;
use crate::import::{self, Parsed, Unit};
use crate::source::split::{Target, split};
use crate::{Accounting, Format, Options, text};

fn check(parsed: &Parsed) {
    assert!(parsed.accounting.balances(), "the account does not balance");
    let rows: usize = parsed.conversations.iter().map(|c| c.events.len()).sum();
    let counted = parsed.accounting.units.parsed + parsed.accounting.swipes.parsed;
    assert!(rows == 0 || counted > 0, "rows that nobody counted");
}

fn value(format: Format, bytes: &[u8]) {
    let (source, options) = (Arc::from("fuzz"), Options::default());
    let unit = Unit {
        bytes,
        position: 0,
        source: &source,
        options: &options,
    };
    if let Ok(parsed) = import::parse(format, &unit) {
        check(&parsed);
    }
}

fn stream(format: Format, mut bytes: &[u8]) {
    let (source, options) = (Arc::from("fuzz"), Options::default());
    let mut deliver = |parsed| check(&parsed);
    // An error is a fine answer to any bytes; only a panic or a wrong account is not.
    import::read_stream(format, &mut bytes, &source, &options, &mut deliver).ok();
}

macro_rules! targets {
    ($($(#[doc = $doc:literal])+ $name:ident = $how:ident($format:ident);)+) => {
        $($(#[doc = $doc])+ pub fn $name(bytes: &[u8]) { $how(Format::$format, bytes); })+
    };
}

targets! {
    /// One ChatGPT conversation.
    chatgpt = value(ChatGpt);
    /// One Claude.ai conversation.
    claude = value(Claude);
    /// One SillyTavern chat.
    sillytavern = value(SillyTavern);
    /// One CAI Tools dump.
    cai_tools = value(CaiTools);
    /// One Open WebUI chat.
    open_webui = value(OpenWebUi);
    /// One Grok conversation.
    grok = value(Grok);
    /// One AI Studio prompt.
    ai_studio = value(AiStudio);
    /// One Gemini CLI session.
    gemini_cli = value(GeminiCli);
    /// One ShareGPT conversation.
    share_gpt = value(ShareGpt);
    /// A request log.
    request_log = stream(RequestLog);
    /// OpenTelemetry spans.
    otel = stream(Otel);
    /// A record as JSON Lines.
    record_lines = stream(Driftlead);
}

/// Detection, the splitter and the cleaning of text.
pub fn source(bytes: &[u8]) {
    detect::plan(bytes);
    for target in [
        Target::Values,
        Target::Array,
        Target::Under("conversations"),
        Target::Lines,
    ] {
        let mut end = 0;
        split(&mut &*bytes, &target, true, &mut |batch| {
            for range in &batch.values {
                let at = batch.base + range.start as u64;
                assert!(at >= end && batch.bytes.get(range.clone()).is_some());
                end = at;
            }
            true
        })
        .ok();
    }
    let words = String::from_utf8_lossy(bytes);
    text::clean(&words, &mut Accounting::default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for target in [super::chatgpt, super::claude, super::sillytavern, super::cai_tools,
                super::open_webui, super::grok, super::ai_studio, super::gemini_cli,
                super::share_gpt, super::request_log, super::otel, super::record_lines,
                super::source] {
                target(&bytes);
            }
        }
    }
}
