//! Which conversation a request continues.
//!
//! Most clients name none. Then the last turns that the request repeats tell: a conversation is
//! found again by any pair of neighbouring turns near its end, so that a client may trim old turns,
//! regenerate the last reply, or change its system text (which is never hashed, because it may carry
//! the time). An edit of an earlier turn forks the conversation, which keeps its session up to there.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;

use super::subject::Subject;
use crate::request::{Role, Turn};

/// Pairs of turns looked up from the end of a request.
const LOOK_BACK: usize = 6;
/// How long a single first turn, sent again, counts as the same conversation (a regeneration), µs.
const SAME_OPENING_MICROS: i64 = 30 * 60 * 1_000_000;

/// Where a session id came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionSource {
    /// `x-driftlead-session`.
    Header,
    /// `X-OpenWebUI-Chat-Id`.
    OpenWebUi,
    /// Found by the turns that the request repeats.
    Turns,
}

/// A conversation's identity, as an opaque name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Session {
    id: String,
    source_is_named: bool,
}

impl Session {
    /// The name itself.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the client named it; a session found by turns is a guess.
    pub fn is_named(&self) -> bool {
        self.source_is_named
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session([redacted])")
    }
}

type Key = [u8; 16];

#[derive(Debug, Clone, Copy)]
struct Seen {
    session: Key,
    at_micros: i64,
}

/// Conversations seen lately, in memory only, the oldest forgotten first.
#[derive(Debug)]
pub struct Sessions {
    /// Hashes are keyed with a secret of this process: they say nothing outside it.
    key: [u8; 32],
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    by_pair: HashMap<Key, Seen>,
    order: VecDeque<Key>,
    counter: u64,
}

impl Sessions {
    /// `capacity` bounds the pairs of turns kept; each costs about 100 bytes.
    pub fn new(key: [u8; 32], capacity: usize) -> Self {
        Sessions {
            key,
            capacity: capacity.max(1),
            state: Mutex::default(),
        }
    }

    /// The conversation of a request, new if nothing in it was seen before.
    pub fn resolve(
        &self,
        headers: &HeaderMap,
        subject: Option<&Subject>,
        turns: &[Turn<'_>],
        now_micros: i64,
    ) -> Option<(Session, SessionSource)> {
        let named = [
            ("x-driftlead-session", SessionSource::Header),
            ("x-openwebui-chat-id", SessionSource::OpenWebUi),
        ];
        for (name, source) in named {
            if let Some(id) = headers.get(name).and_then(|value| value.to_str().ok())
                && !id.trim().is_empty()
            {
                let session = Session {
                    id: id.trim().to_owned(),
                    source_is_named: true,
                };
                return Some((session, source));
            }
        }
        let spoken: Vec<&Turn<'_>> = turns
            .iter()
            .rev()
            .filter(|turn| matches!(turn.role, Role::User | Role::Assistant))
            .take(LOOK_BACK + 1)
            .collect();
        let pairs = self.pairs(subject, &spoken);
        let session = self.look_up(pairs, spoken.len() == 1, now_micros)?;
        let session = Session {
            id: crate::audit::hex(&session),
            source_is_named: false,
        };
        Some((session, SessionSource::Turns))
    }

    /// The conversation that has one of these pairs, found as far as it has to be looked for: mostly it is
    /// the second. `None` where there are none.
    fn look_up(
        &self,
        mut pairs: impl Iterator<Item = Key>,
        opening: bool,
        now_micros: i64,
    ) -> Option<Key> {
        let newest = pairs.next()?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let known = std::iter::once(newest)
            .chain(pairs)
            .find_map(|pair| state.by_pair.get(&pair).copied());
        let known = known
            .filter(|seen| !opening || (now_micros - seen.at_micros).abs() < SAME_OPENING_MICROS);
        let session = known.map_or_else(
            || {
                state.counter += 1;
                let mut hasher = blake3::Hasher::new_keyed(&self.key);
                hasher.update(b"session");
                hasher.update(&state.counter.to_le_bytes());
                short(&hasher)
            },
            |seen| seen.session,
        );
        let seen = Seen {
            session,
            at_micros: now_micros,
        };
        if state.by_pair.insert(newest, seen).is_none() {
            state.order.push_back(newest);
        }
        while state.order.len() > self.capacity {
            if let Some(oldest) = state.order.pop_front() {
                state.by_pair.remove(&oldest);
            }
        }
        Some(session)
    }

    /// Hashes of neighbouring turns, newest first; the first turn of all stands alone.
    fn pairs<'a>(
        &'a self,
        subject: Option<&'a Subject>,
        spoken: &'a [&'a Turn<'a>],
    ) -> impl Iterator<Item = Key> + 'a {
        let hash = move |older: Option<&Turn<'_>>, newer: &Turn<'_>| {
            let mut hasher = blake3::Hasher::new_keyed(&self.key);
            let mut field = |bytes: &[u8]| {
                hasher.update(&(bytes.len() as u64).to_le_bytes());
                hasher.update(bytes);
            };
            field(subject.map_or("", Subject::id).as_bytes());
            for turn in older.into_iter().chain([newer]) {
                field(&[u8::from(turn.role == Role::User)]);
                field(turn.content.map_or("", |raw| raw.get()).as_bytes());
            }
            short(&hasher)
        };
        // The opening, under which the first request of this conversation was stored.
        let opening = spoken.last().filter(|_| spoken.len() <= LOOK_BACK);
        spoken
            .windows(2)
            .filter_map(move |pair| match pair {
                [newer, older] => Some(hash(Some(older), newer)),
                _ => None,
            })
            .chain(opening.map(move |first| hash(None, first)))
    }
}

fn short(hasher: &blake3::Hasher) -> Key {
    let mut key = Key::default();
    hasher.finalize_xof().fill(&mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::request::Parsed;

    fn session(sessions: &Sessions, who: &str, turns: &[&str], now: i64) -> String {
        let list: Vec<String> = turns
            .iter()
            .map(|turn| {
                let (role, text) = turn.split_once(':').unwrap();
                let role = match role {
                    "u" => "user",
                    "a" => "assistant",
                    _ => "system",
                };
                format!(r#"{{"role":"{role}","content":"{text}"}}"#)
            })
            .collect();
        let body = format!(r#"{{"messages":[{}]}}"#, list.join(","));
        let parsed = Parsed::read(Dialect::Chat, body.as_bytes()).unwrap();
        let subject = Subject::new(who);
        sessions
            .resolve(&HeaderMap::new(), Some(&subject), &parsed.turns, now)
            .unwrap()
            .0
            .id()
            .to_owned()
    }

    #[test]
    fn a_conversation_is_found_again() {
        let sessions = Sessions::new([7; 32], 100);
        let first = session(&sessions, "p", &["s:now 1", "u:hi"], 0);
        let turns = ["s:now 2", "u:hi", "a:yo", "u:and"];
        assert_eq!(
            session(&sessions, "p", &turns, 1),
            first,
            "next turn, other system text"
        );
        let turns = ["u:hi", "a:yo", "u:and", "a:well", "u:so"];
        assert_eq!(session(&sessions, "p", &turns, 2), first);
        assert_eq!(session(&sessions, "p", &turns[2..], 3), first, "trimmed");
        let again = ["u:hi", "a:yo", "u:and"];
        assert_eq!(session(&sessions, "p", &again, 4), first, "regenerated");
        let edited = ["u:hi", "a:yo", "u:but", "a:oh", "u:then"];
        assert_eq!(
            session(&sessions, "p", &edited, 5),
            first,
            "an edit forks within the session"
        );
    }

    #[test]
    fn other_people_and_other_conversations_are_apart() {
        let sessions = Sessions::new([7; 32], 100);
        let mine = session(&sessions, "p", &["u:hi"], 0);
        assert_ne!(session(&sessions, "q", &["u:hi"], 1), mine);
        assert_ne!(session(&sessions, "p", &["u:other"], 2), mine);
        assert_ne!(
            session(&sessions, "p", &["u:hi"], SAME_OPENING_MICROS + 5),
            mine
        );
    }

    #[test]
    fn memory_is_bounded() {
        let sessions = Sessions::new([7; 32], 10);
        for number in 0..100 {
            session(&sessions, "p", &[&format!("u:{number}")], number);
        }
        let state = sessions.state.lock().unwrap();
        assert_eq!((state.by_pair.len(), state.order.len()), (10, 10));
    }

    #[test]
    fn a_named_session_wins() {
        let sessions = Sessions::new([7; 32], 10);
        let mut headers = HeaderMap::new();
        headers.insert("x-openwebui-chat-id", "c1".parse().unwrap());
        let (found, source) = sessions.resolve(&headers, None, &[], 0).unwrap();
        assert_eq!((found.id(), source), ("c1", SessionSource::OpenWebUi));
        assert!(sessions.resolve(&HeaderMap::new(), None, &[], 0).is_none());
    }
}
