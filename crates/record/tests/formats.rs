//! Exact accounting of every other export format, through the same door as a person's own files.

mod common;

use common::{fixture, import, skipped};
use driftlead_record::{Format, Import, Kind};

/// What one file must give: containers, units seen and parsed, swipes, and rows by kind.
struct Expected {
    file: &'static str,
    format: Format,
    containers: (u64, u64),
    units: (u64, u64),
    swipes: (u64, u64),
    skipped: &'static [(&'static str, u64)],
    messages: usize,
    replicates: usize,
    variants: usize,
}

const NOTHING: Expected = Expected {
    file: "",
    format: Format::Grok,
    containers: (1, 1),
    units: (0, 0),
    swipes: (0, 0),
    skipped: &[],
    messages: 0,
    replicates: 0,
    variants: 0,
};

const EXPECTED: &[Expected] = &[
    Expected {
        file: "synthetic/openwebui_export.json",
        format: Format::OpenWebUi,
        containers: (2, 2),
        units: (7, 7),
        messages: 6,
        variants: 1,
        ..NOTHING
    },
    Expected {
        file: "synthetic/grok_export.json",
        containers: (2, 2),
        units: (6, 5),
        skipped: &[("empty_text", 1)],
        messages: 4,
        replicates: 1,
        ..NOTHING
    },
    Expected {
        file: "mit-polylogue/grok_flat.json",
        units: (2, 2),
        messages: 2,
        ..NOTHING
    },
    Expected {
        file: "synthetic/aistudio_thoughts.json",
        format: Format::AiStudio,
        units: (7, 4),
        skipped: &[
            ("attachment_only", 1),
            ("reasoning", 1),
            ("pending_draft", 1),
        ],
        messages: 4,
        ..NOTHING
    },
    Expected {
        file: "mit-polylogue/aistudio_minimal.json",
        format: Format::AiStudio,
        units: (2, 2),
        messages: 2,
        ..NOTHING
    },
    Expected {
        file: "mit-polylogue/gemini_cli_session.json",
        format: Format::GeminiCli,
        units: (2, 2),
        messages: 2,
        ..NOTHING
    },
    Expected {
        file: "synthetic/sillytavern_2024_swipes.jsonl",
        format: Format::SillyTavern,
        units: (3, 3),
        swipes: (1, 1),
        messages: 2,
        variants: 1,
        ..NOTHING
    },
    Expected {
        file: "synthetic/sillytavern_2026_iso_header_unused.jsonl",
        format: Format::SillyTavern,
        units: (6, 4),
        swipes: (2, 2),
        skipped: &[("hidden_from_prompt", 1), ("malformed_json", 1)],
        messages: 3,
        variants: 2,
        ..NOTHING
    },
    Expected {
        file: "synthetic/cai_dump.json",
        format: Format::CaiTools,
        containers: (3, 2),
        units: (10, 8),
        skipped: &[("empty_text", 1), ("unknown_role", 1)],
        messages: 5,
        replicates: 3,
        ..NOTHING
    },
    Expected {
        file: "synthetic/cai_turns.json",
        format: Format::CaiTools,
        units: (4, 3),
        swipes: (2, 1),
        skipped: &[("empty_text", 1)],
        messages: 3,
        replicates: 1,
        ..NOTHING
    },
    Expected {
        file: "synthetic/cai_tavern_chat.jsonl",
        format: Format::SillyTavern,
        units: (4, 4),
        messages: 3,
        ..NOTHING
    },
    Expected {
        file: "synthetic/sharegpt_residue.json",
        format: Format::ShareGpt,
        units: (6, 4),
        skipped: &[("hidden_context", 1), ("unknown_role", 1)],
        messages: 4,
        ..NOTHING
    },
];

fn levels(import: &Import) -> [(u64, u64); 3] {
    let a = &import.accounting;
    [&a.containers, &a.units, &a.swipes].map(|l| (l.seen, l.parsed))
}

#[test]
fn every_fixture_is_accounted_for_exactly() {
    for e in EXPECTED {
        let (import, rows) = import(&[fixture(e.file)]).unwrap();
        assert_eq!(
            levels(&import),
            [e.containers, e.units, e.swipes],
            "{}",
            e.file
        );
        assert_eq!(skipped(&import), e.skipped, "{}", e.file);
        assert_eq!(import.files[0].format, Some(e.format), "{}", e.file);
        let count = |kind| {
            rows.iter()
                .flat_map(|c| &c.events)
                .filter(|x| x.kind == kind)
                .count()
        };
        let kinds = [Kind::Message, Kind::Replicate, Kind::Variant].map(count);
        assert_eq!(kinds, [e.messages, e.replicates, e.variants], "{}", e.file);
    }
}

#[test]
fn a_second_copy_adds_no_row() {
    for e in EXPECTED {
        let once = import(&[fixture(e.file)]).unwrap().1;
        let (twice, rows) = import(&[fixture(e.file), fixture(e.file)]).unwrap();
        let events =
            |c: &[driftlead_record::Conversation]| c.iter().map(|c| c.events.len()).sum::<usize>();
        assert_eq!(events(&rows), events(&once), "{}", e.file);
        assert!(twice.accounting.balances());
    }
}
