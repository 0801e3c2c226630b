//! Listens to the decoded copy of a reply, counts it when it is over, and keeps none of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use driftlead_record::{MICROS, Role};

use super::acts::{self, Wish};
use super::inner::Inner;
use super::kept::Repair;
use super::person::{Person, Said, Turn};
use crate::govern::{EndCause, Facts, ReplyEnd, Tap};

/// Longest reply that is counted, bytes; the rest is not.
const LONGEST: usize = 1 << 20;

/// One exchange.
pub(super) struct Listener {
    inner: Arc<Inner>,
    person: Arc<Person>,
    session: String,
    /// The conversation's name, so that a reply that outlives its conversation is not counted to the next.
    talk: String,
    turn: Turn,
    asked: i64,
    words: Option<String>,
    reply: String,
    model: Option<String>,
}

/// Shows no text.
impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

impl Listener {
    /// Begins at a request, whose conversation is under way.
    pub(super) fn new(
        inner: &Arc<Inner>,
        person: &Arc<Person>,
        session: &str,
        facts: &Facts<'_>,
    ) -> Option<Self> {
        let words = facts
            .newest_user_turn()
            .and_then(|turn| turn.text())
            .map(|text| text.into_owned());
        let mut live = person.live();
        let talk = live.talks.get_mut(session)?;
        let turn = match &words {
            Some(words) => talk.place(hash(words), facts.turns.len()),
            // The result of a tool is new in any case.
            None => Turn::New,
        };
        Some(Listener {
            inner: Arc::clone(inner),
            person: Arc::clone(person),
            session: session.to_owned(),
            talk: talk.id.clone(),
            turn,
            asked: facts.now_micros,
            words,
            reply: String::new(),
            model: facts.model.map(str::to_owned),
        })
    }
}

impl Tap for Listener {
    fn text(&mut self, choice: u32, text: &str) {
        // Other choices are alternatives, which never enter rates.
        if choice == 0 && self.reply.len() + text.len() <= LONGEST {
            self.reply.push_str(text);
        }
    }

    fn end(self: Box<Self>, end: &ReplyEnd) {
        let mut live = self.person.live();
        let seconds = end.now_micros.div_euclid(MICROS);
        let rows = self.inner.rows(&live, seconds);
        let Some(talk) = live
            .talks
            .get_mut(&self.session)
            .filter(|talk| talk.id == self.talk)
        else {
            return;
        };
        talk.last = talk.last.max(end.now_micros);
        if let Some(words) = &self.words {
            let said = Said {
                role: Role::Person,
                turn: self.turn,
                at: self.asked,
                text: words,
                system: None,
            };
            talk.say(said, rows);
        }
        let seen = match end.cause {
            EndCause::Complete | EndCause::ClientGoneCancelled | EndCause::ClientGoneDrained => {
                end.status < 400
            }
            EndCause::UpstreamFailed | EndCause::Blocked => false,
        };
        if seen && !self.reply.is_empty() {
            let said = Said {
                role: Role::System,
                turn: self.turn,
                at: end.now_micros.max(self.asked),
                text: &self.reply,
                system: end.model.as_deref().or(self.model.as_deref()),
            };
            talk.say(said, rows);
        }
        let complaints = talk
            .count("after_complaint.complaints")
            .map_or(0, |(n, _)| n);
        let new = complaints > std::mem::replace(&mut talk.complaints, complaints);
        live.last = live.last.max(end.now_micros);
        let rule = &self.inner.in_force().policy.repair;
        if new && rule.recognise {
            // Said in plain words. The model has read them itself; it is reminded for the next turns.
            let repair = Repair {
                words: None,
                turns: rule.turns,
                until: i64::MAX,
            };
            let wish = Wish {
                session: Some(&self.session),
                ..Wish::default()
            };
            acts::take(&mut live, repair, &wish, seconds);
        }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
