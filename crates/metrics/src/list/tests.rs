use super::*;

/// Whether one entry of `lexicon` is hit in `text` and no exclusion of its list cancels it.
fn is_hit(lexicon: &Lexicon, index: usize, text: &str) -> bool {
    let mut tokens = Tokens::default();
    tokens.read(text);
    let found = |wanted: &dyn Fn(usize) -> bool| -> Vec<(u32, u32, u32)> {
        let phrases = lexicon.phrases.iter().filter(|p| wanted(p.rule as usize));
        phrases
            .flat_map(|p| {
                let rule = &lexicon.rules[p.rule as usize];
                let stands = |at: &usize| {
                    let words = tokens.words.iter().skip(*at);
                    words.len() >= p.parts.len()
                        && words.zip(&p.parts).all(|(word, (part, _))| match part {
                            Part::Exact(hash) => *hash == word.hash,
                            Part::Prefix(prefix) => tokens.starts_with(word, prefix),
                            Part::Any => true,
                        })
                };
                let places = (0..tokens.words.len()).filter(stands);
                places.filter_map(|at| p.matches(rule, &tokens, at))
            })
            .collect()
    };
    let Target::Class(class) = lexicon.rules[index].target else {
        return false;
    };
    let hits = found(&|rule| rule == index);
    if hits.is_empty() {
        return false;
    }
    let cancels = found(
        &|rule| matches!(lexicon.rules[rule].target, Target::Cancel { first, end } if (first..end).contains(&class)),
    );
    hits.iter()
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
            if !exclude.phrase.contains('{') {
                let words = exclude.phrase.replace(['*', ','], "");
                let found = counted(&LEXICON, &words);
                assert!(
                    !found.iter().any(|(l, _)| l == name),
                    "{name}: {:?} still counts",
                    exclude.phrase
                );
            }
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

const SLOTTED: &str = r#"
    language = "en"
    version = 1
    [sets]
    who = ["i", "the two of us", "sorry,"]
    [[entry]]
    phrase = "{who} {need|have got|} _ go {home|}"
    class = "a"
    yes = ""
    no = ""
    not_before = ["{who}", "when {he|she}"]
    [[exclude]]
    phrase = "need to go {by|on} foot"
    yes = ""
    [[entry]]
    phrase = "go {on|by} foot"
    class = "b"
    yes = ""
    no = ""
"#;

#[test]
fn slots_stand_for_each_alternative() {
    let lexicon = small(SLOTTED);
    assert_eq!(
        lexicon.phrases.len(),
        3 * 3 * 2 + 2 + 2,
        "one sequence per combination"
    );
    let count = |text: &str| {
        counted(&lexicon, text)
            .into_iter()
            .map(|(_, c)| c)
            .collect::<String>()
    };
    assert_eq!(count("I need to go."), "a");
    assert_eq!(count("The two of us have got to go home."), "a");
    assert_eq!(count("Must I to go"), "a", "the slot may stand for nothing");
    assert_eq!(count("Sorry, need to go"), "a", "a member keeps its comma");
    assert_eq!(count("I, need to go"), "", "and lends it to no other");
    assert_eq!(count("the two need to go"), "", "a member holds as a whole");
    assert_eq!(
        count("the two of us i need to go"),
        "",
        "a set in not_before"
    );
    assert_eq!(count("when she i need to go"), "");
    assert_eq!(count("go by foot"), "b");
    assert_eq!(
        count("I need to go on foot"),
        "a",
        "the exclusion reaches its own words"
    );
}

#[test]
fn unusable_phrases_are_refused() {
    let wide = "{a|b|c|d|e|f|g|h} ".repeat(5);
    for (phrase, fault) in [
        ("No one", "lower-case"),
        ("_", "everything"),
        ("{go|} _", "everything"),
        ("a*", "prefix"),
        ("two  spaces", "not one word"),
        ("semi;colon x", "not one word"),
        ("ends ", "not one word"),
        ("", "not one word"),
        ("{go|}", "no word at all"),
        ("{go|{home}", "brace"),
        ("{go|home", "without its end"),
        ("go|home", "brace or a bar"),
        ("go} home", "brace or a bar"),
        ("pre{fix|amble}", "brace or a bar"),
        ("{go|run}ning", "stuck"),
        ("{nowhere} to go", "lacks"),
        (wide.trim(), "4,096"),
    ] {
        let list = format!(
            "language='en'\nversion=1\n[[entry]]\nphrase='{phrase}'\nclass='a'\nyes=''\nno=''\n"
        );
        let list: &'static str = Box::leak(list.into_boxed_str());
        let error = Lexicon::load(&[("t", list)]).unwrap_err().to_string();
        assert!(error.contains(fault), "{phrase}: {error}");
        assert!(error.contains(phrase), "{phrase}: {error}");
    }
    for (sets, fault) in [
        ("who = []", "without members"),
        ("Who = ['i']", "not a name"),
        ("who = ['I']", "lower-case"),
        ("who = ['{i|you}']", "brace"),
    ] {
        let list = format!("language='en'\nversion=1\n[sets]\n{sets}\n");
        let list: &'static str = Box::leak(list.into_boxed_str());
        let error = Lexicon::load(&[("t", list)]).unwrap_err().to_string();
        assert!(error.contains(fault), "{sets}: {error}");
    }
    let starred = "language='en'\nversion=1\n[[entry]]\nphrase='go'\nclass='a'\nyes=''\nno=''\nnot_after=['hom*']\n";
    let error = Lexicon::load(&[("t", starred)]).unwrap_err().to_string();
    assert!(error.contains("written in full"), "{error}");
}
