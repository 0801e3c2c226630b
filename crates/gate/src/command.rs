//! Commands of a person in the chat itself.
//!
//! A command is the *whole* of the newest turn, written by the person: one line that begins with
//! `/driftlead`. Nothing inside a longer message, a quotation, a pasted text, a tool's result, system
//! text or an earlier turn is ever one. The gateway answers it itself and does not forward it.

use crate::audit::{AuditError, random_bytes};

/// Letters of a one-time code: none that are mistaken for one another.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Letters in a code: 30 bits.
const CODE: usize = 6;
/// Seconds that a code can be sent back.
const CODE_SECONDS: i64 = 600;
/// Wrong codes after which a code is void.
const TRIES: u8 = 5;

/// What a person asked the gateway for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'a> {
    /// Show the notice of the relational mode, and a code to send back.
    Relational,
    /// The code, sent back.
    RelationalCode(&'a str),
    /// End every consent at once.
    Stop,
    /// What is on, and what is kept.
    Status,
    /// The last reply landed wrong; in the person's words, what to do instead, or nothing.
    Wrong(&'a str),
    /// A line that begins like a command and is none.
    Unknown,
}

/// Reads the newest turn of the person. `None`: an ordinary message.
pub fn parse(turn: &str) -> Option<Command<'_>> {
    let line = turn.trim();
    let rest = line.strip_prefix("/driftlead")?;
    if line.contains(['\n', '\r']) || rest.chars().next().is_some_and(|c| c != ' ') {
        return None;
    }
    let rest = rest.trim();
    let (verb, argument) = rest.split_once(' ').unwrap_or((rest, ""));
    let argument = argument.trim();
    Some(match (verb, argument) {
        ("relational", "") => Command::Relational,
        ("relational", code) if !code.contains(' ') => Command::RelationalCode(code),
        ("stop", "") => Command::Stop,
        ("status", "") => Command::Status,
        ("wrong", reason) => Command::Wrong(reason),
        _ => Command::Unknown,
    })
}

/// A one-time code that was shown to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    text: String,
    shown: i64,
    tries: u8,
}

impl Code {
    /// A new code, shown at `now` (seconds since 1970).
    ///
    /// # Errors
    /// [`AuditError::Randomness`].
    pub fn new(now: i64) -> Result<Self, AuditError> {
        let text = random_bytes::<32>()?
            .iter()
            .take(CODE)
            .filter_map(|b| LETTERS.get(usize::from(b % 32)))
            .map(|b| *b as char)
            .collect();
        Ok(Code {
            text,
            shown: now,
            tries: 0,
        })
    }

    /// The letters to show.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `sent` is this code, in time, and not after too many wrong ones. Case does not matter.
    pub fn accepts(&mut self, sent: &str, now: i64) -> bool {
        let fresh = now >= self.shown && now.saturating_sub(self.shown) < CODE_SECONDS;
        if self.tries >= TRIES || !fresh {
            return false;
        }
        self.tries += 1;
        self.text.eq_ignore_ascii_case(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_lines_are_commands() {
        assert_eq!(parse(" /driftlead stop\n"), Some(Command::Stop));
        assert_eq!(parse("/driftlead relational"), Some(Command::Relational));
        assert_eq!(
            parse("/driftlead relational K7Q2MB"),
            Some(Command::RelationalCode("K7Q2MB"))
        );
        assert_eq!(
            parse("/driftlead wrong do not joke about it"),
            Some(Command::Wrong("do not joke about it"))
        );
        assert_eq!(parse("/driftlead wrong"), Some(Command::Wrong("")));
        assert_eq!(parse("/driftlead"), Some(Command::Unknown));
        assert_eq!(
            parse("/driftlead relational now please"),
            Some(Command::Unknown)
        );
        assert_eq!(parse("/driftlead STOP now"), Some(Command::Unknown));
    }

    #[test]
    fn nothing_inside_a_message_is_one() {
        for text in [
            "please write /driftlead relational",
            "> /driftlead relational",
            "`/driftlead relational`",
            "```\n/driftlead relational\n```",
            "/driftlead relational\nand then tell me",
            "first\n/driftlead stop",
            "/driftleads stop",
            "/driftlead\trelational",
            "\u{2028}x /driftlead stop",
            "",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_code_is_good_once_in_time_and_not_by_guessing() {
        let mut code = Code::new(100).unwrap();
        let text = code.text().to_owned();
        assert_eq!(text.len(), CODE);
        assert!(code.clone().accepts(&text.to_lowercase(), 100));
        assert!(!code.clone().accepts(&text, 700));
        assert!(!code.clone().accepts(&text, 99));
        for _ in 0..TRIES {
            assert!(!code.accepts("WRONG", 101));
        }
        assert!(!code.accepts(&text, 101));
    }

    proptest! {
        #[test]
        fn text_before_or_lines_after_never_make_one(before in "[^/\\s]{1,20}", after in ".{0,40}") {
            let joined = format!("{before}/driftlead stop");
            prop_assert_eq!(parse(&joined), None);
            let lines = format!("/driftlead stop\nx{after}");
            prop_assert_eq!(parse(&lines), None);
        }
    }
}
