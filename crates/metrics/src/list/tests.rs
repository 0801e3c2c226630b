use super::*;

/// Whether one phrase of `lexicon` is hit in `text` and no exclusion of its list cancels it.
fn is_hit(lexicon: &Lexicon, index: usize, text: &str) -> bool {
    let mut tokens = Tokens::default();
    tokens.read(text);
    let found = |phrase: &Phrase| -> Vec<(u32, u32, u32)> {
        (0..tokens.words.len())
            .filter_map(|at| phrase.matches(&tokens, at))
            .collect()
    };
    let phrase = &lexicon.phrases[index];
    let Target::Class(class) = phrase.target else {
        return false;
    };
    let cancels: Vec<(u32, u32, u32)> = lexicon
        .phrases
        .iter()
        .filter(
            |p| matches!(p.target, Target::Cancel { first, end } if (first..end).contains(&class)),
        )
        .flat_map(found)
        .collect();
    found(phrase)
        .iter()
        .any(|h| !cancels.iter().any(|c| c.0 <= h.0 && h.1 <= c.1))
}

fn counted(lexicon: &Lexicon, text: &str) -> Vec<(&'static str, String)> {
    let mut tokens = Tokens::default();
    tokens.read(text);
    let (mut hits, mut cancels) = (Vec::new(), Vec::new());
    lexicon.find(Side::Person, &tokens, &mut hits, &mut cancels);
    let (mut more, mut others) = (Vec::new(), Vec::new());
    lexicon.find(Side::System, &tokens, &mut more, &mut others);
    hits.extend(more);
    hits.iter()
        .filter_map(|h| lexicon.classes.get(usize::from(h.class)).cloned())
        .collect()
}

#[test]
fn every_list_loads() {
    check_lists().unwrap();
    for (name, list) in &LEXICON.lists {
        assert_eq!(list.language, "en", "{name}");
        assert!(list.version >= 1, "{name}");
        assert!(!list.entry.is_empty(), "{name} has no entries");
    }
}

#[test]
fn every_entry_matches_its_example_and_not_its_near_miss() {
    let mut faults = Vec::new();
    let mut index = 0;
    for (name, list) in &LEXICON.lists {
        for entry in &list.entry {
            if !is_hit(&LEXICON, index, &entry.yes) {
                faults.push(format!(
                    "{name}: {:?} is not found in {:?}",
                    entry.phrase, entry.yes
                ));
            }
            if is_hit(&LEXICON, index, &entry.no) {
                faults.push(format!(
                    "{name}: {:?} is found in {:?}",
                    entry.phrase, entry.no
                ));
            }
            index += 1;
        }
        index += list.exclude.len();
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_exclusion_cancels_its_example() {
    for (name, list) in &LEXICON.lists {
        for exclude in &list.exclude {
            let words = exclude.phrase.replace(['*', ','], "");
            let found = counted(&LEXICON, &words);
            assert!(
                !found.iter().any(|(l, _)| l == name),
                "{name}: {:?} still counts",
                exclude.phrase
            );
            let mut tokens = Tokens::default();
            tokens.read(&exclude.yes);
            let (mut hits, mut cancels) = (Vec::new(), Vec::new());
            LEXICON.find(side_of(name), &tokens, &mut hits, &mut cancels);
            assert!(
                !cancels.is_empty(),
                "{name}: {:?} is not found in its example",
                exclude.phrase
            );
        }
    }
}

fn small(list: &'static str) -> Lexicon {
    Lexicon::load(&[("t", list)]).unwrap()
}

const TINY: &str = r#"
    language = "en"
    version = 1
    [[entry]]
    phrase = "no one"
    class = "a"
    yes = ""
    no = ""
    not_after = ["liners"]
    [[entry]]
    phrase = "no one listens"
    class = "a"
    yes = ""
    no = ""
    [[entry]]
    phrase = "lone*"
    class = "b"
    yes = ""
    no = ""
    [[entry]]
    phrase = "sorry, you _ right"
    class = "c"
    yes = ""
    no = ""
    start = true
    [[exclude]]
    phrase = "no one liner"
    yes = ""
"#;

#[test]
fn phrases_match_as_documented() {
    let tiny = small(TINY);
    let count = |text: &str| {
        counted(&tiny, text)
            .into_iter()
            .map(|(_, c)| c)
            .collect::<String>()
    };
    assert_eq!(
        count("No one listens. No-one!"),
        "aa",
        "longest of overlapping hits, hyphens run on"
    );
    assert_eq!(
        count("no, one of them; no\none"),
        "",
        "commas and lines stop a phrase"
    );
    assert_eq!(count("no one liners, no one liner"), "");
    assert_eq!(count("So LONELY, a loner, alone"), "bb");
    assert_eq!(count("Sorry you are right."), "c");
    assert_eq!(count("Sorry, you were right."), "c");
    assert_eq!(count("I am sorry, you are right."), "", "only at the start");
    assert_eq!(count("`no one` > no (one)"), "");
}

#[test]
fn unusable_phrases_are_refused() {
    for phrase in ["No one", "_", "a*", "two  spaces", "semi;colon x"] {
        let list = format!(
            "language='en'\nversion=1\n[[entry]]\nphrase='{phrase}'\nclass='a'\nyes=''\nno=''\n"
        );
        let list: &'static str = Box::leak(list.into_boxed_str());
        assert!(Lexicon::load(&[("t", list)]).is_err(), "{phrase}");
    }
}
