use super::*;
use proptest::prelude::*;

fn words(text: &str) -> Vec<String> {
    let mut tokens = Tokens::default();
    tokens.read(text);
    tokens
        .words
        .iter()
        .map(|w| {
            text.get(w.start as usize..w.end as usize)
                .unwrap_or("")
                .to_owned()
        })
        .collect()
}

fn lines(text: &str) -> (usize, usize) {
    let mut tokens = Tokens::default();
    tokens.read(text);
    let questions = tokens.lines.iter().filter(|l| l.question).count();
    (tokens.lines.len(), questions)
}

#[test]
fn words_are_those_of_the_standard() {
    assert_eq!(
        words("I can't pay 3.50, or 1,000!"),
        ["I", "can't", "pay", "3.50", "or", "1,000"]
    );
    assert_eq!(
        words("well-known e.g. foo.bar ok."),
        ["well", "known", "e.g", "foo.bar", "ok"]
    );
    assert_eq!(words("'quoted' -- __ *"), ["quoted"]);
    assert_eq!(words("Über naïve Zoë's"), ["Über", "naïve", "Zoë's"]);
}

#[test]
fn lines_end_at_marks_and_new_lines() {
    assert_eq!(lines("One. Two? Three!\nFour"), (4, 1));
    assert_eq!(lines("wait... what do you mean?!"), (1, 1));
    assert_eq!(lines("Version 1.5 is out. e.g. this one"), (1, 0));
    assert_eq!(lines("Version 1.5 is out. This one too"), (2, 0));
}

#[test]
fn questions_in_quotes_tables_options_and_code_do_not_count() {
    assert_eq!(lines("She said \"why?\" and left.").1, 0);
    assert_eq!(lines("| name? | yes |").1, 0);
    assert_eq!(lines("Reply (yes/no?) below.").1, 0);
    assert_eq!(lines("`a ? b : c` then").1, 0);
    assert_eq!(lines("https://x.y/?q=1").1, 0);
    assert_eq!(lines("Really??? (Does that help?)").1, 2);
    assert_eq!(lines("真的吗？好。你呢？").1, 2);
}

#[test]
fn actions_are_marked() {
    let mut tokens = Tokens::default();
    tokens.read("*walks over to you* Hello");
    assert!(tokens.action);
    tokens.read("That is *really* good\n* one item of list\n**bold words all over** x");
    assert!(!tokens.action);
}

proptest! {
    #[test]
    fn ascii_words_agree_with_the_full_algorithm(text in "[a-zA-Z0-9_'.,:;!? \"()-]{0,60}") {
        let standard: Vec<String> = text
            .unicode_words()
            .filter(|w| w.contains(char::is_alphanumeric))
            .map(str::to_owned)
            .collect();
        prop_assert_eq!(words(&text), standard);
    }

    #[test]
    fn any_text_can_be_read(text in any::<String>()) {
        let mut tokens = Tokens::default();
        tokens.read(&text);
        for line in &tokens.lines {
            prop_assert!(line.first < line.end);
            prop_assert!(!tokens.words_of(line).is_empty());
        }
    }
}
