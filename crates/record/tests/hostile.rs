//! Input that is broken, unknown or built to do harm.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use common::{fixture, import, import_with};
use driftlead_record::{Options, ReadError};
use proptest::prelude::*;
use tempfile::TempDir;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input.json");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn message_of(bytes: &[u8]) -> String {
    let (_folder, path) = file(bytes);
    import(&[path]).unwrap_err().to_string()
}

fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    let mut zip = ZipWriter::new(fs::File::create(&path).unwrap());
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    (folder, path)
}

fn export() -> Vec<u8> {
    fs::read(fixture("synthetic/chatgpt_sharded/conversations-000.json")).unwrap()
}

#[test]
fn errors_say_what_to_do() {
    assert!(message_of(b"").contains("the file is empty"));
    assert!(message_of(b" [ ] ").contains("holds no conversations"));
    assert!(message_of(b"\xFF\xFE[\0{\0").contains("UTF-16"));
    assert!(message_of(b"dear diary").contains("no format"));
    let unknown = message_of(br#"[{"thread": "secret words", "turns": [1]}]"#);
    assert!(unknown.contains("thread, turns"), "{unknown}");
    assert!(!unknown.contains("secret"), "{unknown}");
    let (_, messages) = (0, fixture("mit-openwebui-importer/invalid_unicode.json"));
    let error = import(&[messages]).unwrap_err().to_string();
    assert!(
        error.contains("chat_messages") && !error.contains("Hello"),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = import(&[PathBuf::from("no/such/export.zip")]).unwrap_err();
    assert!(error.to_string().contains("no/such/export.zip"), "{error}");
}

#[test]
fn a_cut_file_gives_what_was_complete_and_where_it_ends() {
    let whole = export();
    let cut = whole.len() - 400;
    let (_folder, path) = file(&whole[..cut]);
    let (import_a, rows) = import(&[path]).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        import_a.accounting.containers.skipped.values().sum::<u64>(),
        1
    );
    let warned = import_a
        .warnings
        .iter()
        .any(|w| w.contains(&format!("byte {cut}")));
    assert!(warned, "{:?}", import_a.warnings);
    let (_folder, path) = file(&whole[..300]);
    let error = import(&[path]).unwrap_err().to_string();
    assert!(
        error.contains("byte 300") && error.contains("malformed_json 1"),
        "{error}"
    );
}

#[test]
fn every_cut_is_an_error_or_a_warning() {
    let whole = export();
    for cut in (1..whole.len() - 2).step_by(97) {
        let (_folder, path) = file(&whole[..cut]);
        if let Ok((import, _)) = import(&[path]) {
            assert!(!import.warnings.is_empty(), "cut at {cut}");
        }
    }
}

#[test]
fn one_broken_conversation_costs_one_conversation() {
    let text = String::from_utf8(export()).unwrap();
    let broken = text.replacen(
        "\"title\": \"Synthetic: bread",
        "\"title\" \"Synthetic: bread",
        1,
    );
    let (_folder, path) = file(broken.as_bytes());
    let (import_a, rows) = import(std::slice::from_ref(&path)).unwrap();
    assert_eq!((rows.len(), import_a.accounting.containers.seen), (1, 2));
    let both_broken = broken.replace(
        "\"title\": \"Synthetic: edit",
        "\"title\" \"Synthetic: edit",
    );
    let (_folder, path) = file(both_broken.as_bytes());
    assert!(matches!(
        import(&[path]),
        Err(ReadError::NothingRead { .. })
    ));
}

#[test]
fn mostly_unreadable_input_is_refused_unless_accepted() {
    let text = String::from_utf8(export()).unwrap();
    let list = text.trim().trim_end_matches(']');
    let mixed = format!(
        "{list}, {{\"conversation_id\": 1, \"mapping\": []}}, {{\"title\": 2, \
        \"conversation_id\": 3, \"mapping\": []}}, {{\"conversation_id\":4,\"mapping\":[]}}]"
    );
    let (_folder, path) = file(mixed.as_bytes());
    let strict = import_with(std::slice::from_ref(&path), &Options::default());
    assert!(
        matches!(strict, Err(ReadError::MostlyUnreadable { .. })),
        "{strict:?}"
    );
    assert!(import(&[path]).is_ok());
}

#[test]
fn lone_surrogates_are_replaced_and_counted() {
    let text = String::from_utf8(export())
        .unwrap()
        .replace("And in", "And \\ud83d in");
    let (_folder, path) = file(text.as_bytes());
    let (import, rows) = import(&[path]).unwrap();
    assert_eq!(
        import.accounting.notes.get("lone_surrogate_replaced"),
        Some(&1)
    );
    let words = rows[0].events.iter().filter_map(|e| e.text.as_deref());
    assert!(
        words
            .into_iter()
            .any(|t| t == "And \u{FFFD} in a cold room?")
    );
}

#[test]
fn archives_of_every_method_give_the_same_rows() {
    let bytes = export();
    let mut all = Vec::new();
    for method in [
        CompressionMethod::Stored,
        CompressionMethod::Deflated,
        CompressionMethod::Zstd,
    ] {
        let members: &[(&str, &[u8])] = &[
            ("conversations.json", &bytes),
            ("user.json", b"{\"id\":\"u\"}"),
            ("a/b.png", b"x"),
        ];
        let (_folder, path) = archive(members, method);
        let (import, rows) = import(&[path]).unwrap();
        assert_eq!(
            (
                import.accounting.members.seen,
                import.accounting.members.parsed
            ),
            (3, 1)
        );
        assert_eq!(import.accounts, ["u"]);
        all.push(rows.into_iter().map(|c| c.events).collect::<Vec<_>>());
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_bomb_is_stopped() {
    let spaces = vec![b' '; 8 << 20];
    let mut bomb = b"[{\"mapping\": {\"a\": {\"message\": null}}, \"x\": \"".to_vec();
    bomb.extend(&spaces);
    bomb.extend(b"\"}]");
    let (_folder, path) = archive(
        &[("conversations.json", &bomb)],
        CompressionMethod::Deflated,
    );
    let error = import(&[path]).unwrap_err().to_string();
    assert!(error.contains("1000-fold"), "{error}");
}

#[test]
fn a_lying_size_is_caught() {
    let bytes = export();
    let (_folder, path) = archive(
        &[("conversations.json", &bytes)],
        CompressionMethod::Deflated,
    );
    let mut raw = fs::read(&path).unwrap();
    let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    while let Some(at) = raw.windows(4).position(|w| w == size) {
        raw[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
    }
    fs::write(&path, raw).unwrap();
    let error = import(&[path]).unwrap_err().to_string();
    assert!(error.contains("declare"), "{error}");
}

#[test]
fn unsafe_members_are_not_opened() {
    let bytes = export();
    let (_folder, path) = archive(
        &[
            ("../conversations.json", &bytes),
            ("/abs.json", &bytes),
            ("inner.zip", &bytes),
        ],
        CompressionMethod::Stored,
    );
    let error = import(&[path]).unwrap_err().to_string();
    assert!(error.contains("climbs out"), "{error}");
}

#[test]
fn two_members_of_one_name_are_refused() {
    let bytes = export();
    let (_folder, path) = archive(
        &[
            ("conversations.json", &bytes),
            ("conversationz.json", &bytes),
        ],
        CompressionMethod::Stored,
    );
    let mut raw = fs::read(&path).unwrap();
    while let Some(at) = raw.windows(18).position(|w| w == b"conversationz.json") {
        raw[at..at + 18].copy_from_slice(b"conversations.json");
    }
    fs::write(&path, raw).unwrap();
    let error = import(&[path]).unwrap_err().to_string();
    assert!(error.contains("two members of one name"), "{error}");
}

#[test]
fn a_cut_archive_is_named_as_such() {
    let (_folder, path) = archive(
        &[("conversations.json", &export())],
        CompressionMethod::Stored,
    );
    let raw = fs::read(&path).unwrap();
    fs::write(&path, &raw[..raw.len() / 2]).unwrap();
    let error = import(&[path]).unwrap_err().to_string();
    assert!(error.contains("cut short or damaged"), "{error}");
}

#[test]
fn nesting_has_a_limit() {
    let deep = format!("{}{}", "[".repeat(400), "]".repeat(400));
    let text = String::from_utf8(export()).unwrap();
    let list = text.trim().trim_end_matches(']');
    let mixed =
        format!("{list}, {{\"mapping\": {{}}, \"conversation_id\": \"x\", \"y\": {deep}}}]");
    let (_folder, path) = file(mixed.as_bytes());
    let (import, rows) = import(&[path]).unwrap();
    assert_eq!((rows.len(), import.accounting.containers.seen), (2, 3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn mutated_exports_balance(
        which in 0usize..7,
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0u8..3), 1..6),
    ) {
        let names = [
            "synthetic/chatgpt_sharded/conversations-000.json",
            "mit-polylogue/chatgpt_native_conversation_v1.json",
            "mit-openwebui-importer/claude_thinking_example.json",
            "synthetic/openwebui_export.json",
            "synthetic/grok_export.json",
            "synthetic/aistudio_thoughts.json",
            "synthetic/sillytavern_2024_swipes.jsonl",
        ];
        let mut bytes = fs::read(fixture(names[which])).unwrap();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.insert(at, byte),
            }
        }
        let (_folder, path) = file(&bytes);
        // `import` checks the accounts; an error must name the file.
        if let Err(error) = import(&[path]) {
            prop_assert!(error.to_string().contains("input.json"), "{}", error);
        }
    }
}
