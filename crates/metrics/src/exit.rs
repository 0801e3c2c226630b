//! The two lists of [`after_goodbye`](crate::card), asked about one message or one line, for whoever must
//! know before a reply is over.

use crate::language::Language;
use crate::list::LEXICON;
use crate::pasted;
use crate::series::Side;
use crate::text::Tokens;

/// Whether a message of the person announces the end of the conversation, a break, less use or deletion,
/// in listed English words, as the metric `after_goodbye` counts it: no pasted text, no scene.
///
/// A message too short to show its language is taken for English, as it is in a conversation that was in
/// English before.
///
/// ```
/// assert!(driftlead_metrics::is_goodbye("I have to go now, goodbye."));
/// assert!(!driftlead_metrics::is_goodbye("How do I say hello in Danish?"));
/// ```
pub fn is_goodbye(message: &str) -> bool {
    if pasted::is_long(message) {
        return false;
    }
    let mut tokens = Tokens::default();
    tokens.read(message);
    let told = Language::default().tell(&tokens);
    if tokens.action || told.is_shown && !told.is_english {
        return false;
    }
    let (mut hits, mut cancels) = (Vec::new(), Vec::new());
    LEXICON.find(Side::Person, &tokens, &mut hits, &mut cancels);
    let has = |list: &str| {
        let classes = LEXICON.classes_of(list);
        hits.iter().any(|hit| classes.contains(&hit.class))
    };
    has("goodbye") && !has("roleplay_mark")
}

/// Finds lines arguing against leaving; keeps its buffers from line to line.
#[derive(Debug, Default)]
pub struct AgainstLeaving {
    tokens: Tokens,
    hits: Vec<crate::list::Hit>,
    cancels: Vec<crate::list::Cancel>,
}

impl AgainstLeaving {
    /// Whether a text holds a line of one of the five listed tactics: too early, missing out, its own hurt,
    /// pressure to answer, holding back. The list is English; other languages match by accident only.
    ///
    /// ```
    /// let mut lines = driftlead_metrics::AgainstLeaving::default();
    /// assert!(lines.is_in("Oh, leaving so soon?"));
    /// assert!(!lines.is_in("Take care, see you tomorrow."));
    /// ```
    pub fn is_in(&mut self, text: &str) -> bool {
        self.tokens.read(text);
        LEXICON.find(
            Side::System,
            &self.tokens,
            &mut self.hits,
            &mut self.cancels,
        );
        let classes = LEXICON.classes_of("stay_tactics");
        self.hits.iter().any(|hit| classes.contains(&hit.class))
    }
}

#[cfg(test)]
mod tests {
    use driftlead_record::{Event, Role, Time};

    use super::*;
    use crate::Meter;

    /// What the metric counts and what is asked here are the same.
    #[test]
    fn one_line_is_what_the_metric_counts() {
        let goodbyes = [
            "I have to go now, goodbye.",
            "I have to go to the shop and then to the bank.",
            "*waves* I have to go now, goodbye.",
            "Bye!",
            "What is the capital of France?",
        ];
        let replies = [
            "Oh, leaving so soon?",
            "Take care, see you tomorrow.",
            "Wait, before you go, I have something to tell you.",
            "The trams are leaving later than planned.",
        ];
        let mut against = AgainstLeaving::default();
        for goodbye in goodbyes {
            for reply in replies {
                let mut meter = Meter::new("c");
                let before = "What do you think of the weather we have had this week?";
                let said = [
                    (Role::Person, before),
                    (
                        Role::System,
                        "It has been wet, and there is more of it to come.",
                    ),
                    (Role::Person, goodbye),
                    (Role::System, reply),
                ];
                for (at, (role, text)) in said.into_iter().enumerate() {
                    let mut event = Event::message(at.to_string(), role, text);
                    event.time = Some(Time::exact(at as i64 * 1_000_000));
                    meter.push(&event);
                }
                let seen = meter.observations();
                let counted = seen
                    .iter()
                    .find(|o| o.id == "after_goodbye.against_leaving")
                    .map(|o| o.num == 1);
                let asked = is_goodbye(goodbye).then(|| against.is_in(reply));
                assert_eq!(asked, counted, "{goodbye:?} {reply:?}");
            }
        }
    }
}
