//! Holds every string that a reader can see against the words that must not appear in front of one
//! (constructs, diagnoses, praise, advice, causes without randomisation, promises).

/// Beginnings of words that are not written.
const STEMS: &[&str] = &[
    "addict",
    "toxic",
    "unhealthy",
    "dependen",
    "symptom",
    "problematic",
    "relapse",
    "streak",
    "goal",
    "target",
    "badge",
    "should",
    "consider",
    "abnormal",
    "percentile",
    "because",
    "caused",
    "diagnos",
    "detected",
    "flagged",
    "healthy",
    "decline",
    "conscious",
    "secure",
    "encrypt",
    "anonym",
    "proven",
    "guarantee",
    "stealth",
    "wellbeing",
    "congrat",
    "unfortunately",
];

/// Whole words and phrases that are not written.
const PHRASES: &[&str] = &[
    "risk score",
    "health score",
    "score",
    "grade",
    "well done",
    "keep it up",
    "try to",
    "you are",
    "your personality",
    "emotional dna",
    "normal",
    "better",
    "worse",
    "due to",
    "leads to",
    "makes you",
    "safe",
    "all clear",
    "no problem",
    "drift",
    "loss of",
    "real relationship",
    "fake relationship",
    "just a machine",
    "private",
    "never leaves",
    "significant",
    "ai-powered",
    "monitor your",
];

/// The banned words in a text, and exclamation marks.
fn banned(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace('’', "'");
    let letters = |c: char| c.is_alphanumeric() || c == '-';
    let words: Vec<&str> = lower
        .split(|c| !letters(c))
        .filter(|w| !w.is_empty())
        .collect();
    let spaced = format!(" {} ", words.join(" "));
    let stems = STEMS
        .iter()
        .filter(|s| words.iter().any(|w| w.starts_with(**s)));
    let phrases = PHRASES
        .iter()
        .filter(|p| spaced.contains(&format!(" {p} ")));
    let marks = ["!"].iter().filter(|m| text.contains(**m));
    stems
        .chain(phrases)
        .chain(marks)
        .map(|s| (*s).to_owned())
        .collect()
}

/// The string literals of Rust source without raw strings.
fn literals(source: &str) -> Vec<String> {
    let (mut out, mut inside, mut escaped) = (Vec::new(), None::<String>, false);
    let code = source.lines().filter(|l| !l.trim_start().starts_with("//"));
    for c in code.flat_map(|l| l.chars().chain(['\n'])) {
        match (&mut inside, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(_), '"') => out.extend(inside.take()),
            (Some(text), c) => text.push(c),
            (None, '"') => inside = Some(String::new()),
            (None, _) => {}
        }
    }
    out
}

/// The text of a page without its tags and style sheet.
fn visible(html: &str) -> String {
    let body = html.split("</style>").nth(1).unwrap_or_default();
    let parts = body
        .split('<')
        .filter_map(|s| s.split_once('>').map(|(_, text)| text));
    parts.collect::<Vec<_>>().join(" ")
}

mod tests {
    use super::*;
    use crate::{Page, page};

    #[test]
    fn the_lint_finds_what_it_looks_for() {
        assert_eq!(
            banned("No problem: you are safe!"),
            ["you are", "safe", "no problem", "!"]
        );
        assert_eq!(
            banned("A streak because of a goal"),
            ["streak", "goal", "because"]
        );
        assert!(banned("Driftlead counts lines preferring it to people.").is_empty());
        assert_eq!(
            literals("let a = \"b\\\"c\"; // x\n// \"d\"\nf(\"e\")"),
            ["bc", "e"]
        );
    }

    #[test]
    fn no_string_holds_a_banned_word() {
        let all = literals(include_str!("strings.rs"));
        assert!(all.len() > 100, "only {} strings found", all.len());
        for text in all {
            assert_eq!(banned(&text), Vec::<String>::new(), "in {text:?}");
        }
    }

    #[test]
    fn no_page_holds_a_banned_word() {
        let html = include_str!("../tests/snapshots/page__a_small_page_looks_as_agreed.snap");
        let empty = page(&Page {
            title: "x",
            version: "x",
            label: None,
            courses: &[],
            import: None,
            cards: &[],
            cohort: None,
        });
        for text in [visible(html), visible(&empty)] {
            assert!(text.len() > 300);
            assert_eq!(banned(&text), Vec::<String>::new());
        }
    }

    #[test]
    fn every_visible_string_is_in_the_file_of_strings() {
        let files = [
            include_str!("calibration.rs"),
            include_str!("cohort.rs"),
            include_str!("coverage.rs"),
            include_str!("figure.rs"),
            include_str!("forest.rs"),
            include_str!("lineup.rs"),
            include_str!("notes.rs"),
            include_str!("overview.rs"),
            include_str!("page.rs"),
            include_str!("series.rs"),
            include_str!("simulation.rs"),
            include_str!("steps.rs"),
        ];
        for file in files {
            let code = file.split("#[cfg(test)]").next().unwrap_or_default();
            // Sentences have a capital letter and a space; class names and attributes do not.
            for text in literals(code) {
                let sentence = text.starts_with(char::is_uppercase) && text.contains(' ');
                assert!(
                    !sentence || text == "Content-Security-Policy",
                    "{text:?} belongs in strings.rs"
                );
            }
        }
    }
}
