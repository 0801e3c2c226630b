//! Blocks that the program writes into the text of an answer as `<details type="…">…</details>`.

use std::borrow::Cow;

const OPEN: &str = "<details";
const CLOSE: &str = "</details>";

/// What is left of an answer, and how many blocks were cut out of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) reasoning: u64,
    pub(super) tools: u64,
}

impl<'a> Cut<'a> {
    /// Text without blocks.
    pub(super) fn nothing(text: &'a str) -> Self {
        Cut {
            text: Cow::Borrowed(text),
            reasoning: 0,
            tools: 0,
        }
    }
}

/// Cuts the program's own blocks. A block that is not closed belongs to an unfinished answer and
/// reaches to its end; other `<details>` are the answer's own words.
pub(super) fn cut(text: &str) -> Cut<'_> {
    let mut cut = Cut::nothing(text);
    let mut rest = text;
    let mut kept = String::new();
    let mut is_kept_to = 0;
    while let Some(at) = rest.find(OPEN) {
        let start = text.len() - rest.len() + at;
        let block = text.get(start..).unwrap_or_default();
        let Some((tag, inside)) = block.split_once('>') else {
            break;
        };
        match kind(tag) {
            Some(Block::Reasoning) => cut.reasoning += 1,
            Some(Block::Tool) => cut.tools += 1,
            None => {
                rest = inside;
                continue;
            }
        }
        kept.push_str(text.get(is_kept_to..start).unwrap_or_default());
        rest = after(inside);
        is_kept_to = text.len() - rest.len();
    }
    if is_kept_to > 0 {
        kept.push_str(text.get(is_kept_to..).unwrap_or_default());
        cut.text = Cow::Owned(kept.trim_start().to_owned());
    }
    cut
}

enum Block {
    Reasoning,
    Tool,
}

fn kind(tag: &str) -> Option<Block> {
    let (_, value) = tag.split_once("type=\"")?;
    match value.split_once('"')?.0 {
        "reasoning" => Some(Block::Reasoning),
        "tool_calls" | "code_interpreter" => Some(Block::Tool),
        _ => None,
    }
}

/// What follows the end of the block that begins here; blocks nest.
fn after(inside: &str) -> &str {
    let mut rest = inside;
    let mut depth = 1;
    loop {
        let Some(close) = rest.find(CLOSE) else {
            return "";
        };
        match rest.find(OPEN) {
            Some(open) if open < close => {
                depth += 1;
                rest = rest.get(open + OPEN.len()..).unwrap_or_default();
            }
            _ => {
                depth -= 1;
                rest = rest.get(close + CLOSE.len()..).unwrap_or_default();
            }
        }
        if depth == 0 {
            return rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> (String, u64, u64) {
        let cut = cut(text);
        (cut.text.into_owned(), cut.reasoning, cut.tools)
    }

    #[test]
    fn reasoning_is_cut_wherever_it_stands() {
        let answer = "<details type=\"reasoning\" done=\"true\" duration=\"4\">\n<summary>Thought\
            </summary>\n> why\n</details>\nBecause.";
        assert_eq!(left(answer), ("Because.".to_owned(), 1, 0));
        let two = "A <details done=\"true\" type=\"reasoning\">x</details>B\
            <details type=\"tool_calls\">y</details> C";
        assert_eq!(left(two), ("A B C".to_owned(), 1, 1));
    }

    #[test]
    fn blocks_nest_and_may_be_open() {
        let nested = "<details type=\"reasoning\">a<details>b</details>c</details>D";
        assert_eq!(left(nested), ("D".to_owned(), 1, 0));
        assert_eq!(
            left("E <details type=\"reasoning\" done=\"false\">a"),
            ("E ".to_owned(), 1, 0)
        );
    }

    #[test]
    fn an_answers_own_details_stay() {
        for text in [
            "<details><summary>More</summary>x</details>",
            "<details",
            "plain",
            "",
        ] {
            assert_eq!(left(text), (text.to_owned(), 0, 0));
        }
    }
}
