//! The state machine of one subject's consents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Purpose;

/// Seconds that a consent is valid: six months of 30.4 days. An end is mandatory in ISO/IEC TS 27560.
const VALID_SECONDS: i64 = 183 * 86_400;
/// Seconds after "not now" in which the gateway does not ask again.
const COOL_DOWN_SECONDS: i64 = 7 * 86_400;

/// Where the consent for one purpose stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Never asked.
    #[default]
    Unknown,
    /// A notice was shown.
    Requested,
    /// The person said "not now".
    Deferred,
    /// The person said no.
    Refused,
    /// The person said yes.
    Given,
    /// The person said yes again.
    Renewed,
    /// The person ended it.
    Withdrawn,
    /// Its time ran out.
    Expired,
    /// The operator ended it.
    Revoked,
    /// It was found defective.
    Invalidated,
}

/// Who expressed a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The person.
    Person,
    /// Whoever runs the gateway.
    Operator,
    /// The gateway by itself: a notice was shown, or a time ran out.
    Gateway,
}

/// Through what a change came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A command in the chat, answered by the gateway itself.
    Chat,
    /// The person's interface.
    Api,
    /// The local page.
    Page,
    /// The gateway's own clock or configuration.
    Gateway,
}

/// The notice that was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Version of its words.
    pub version: u32,
    /// Language, as a BCP 47 tag.
    pub language: String,
}

/// One change of one purpose, as it is kept and logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// For what.
    pub purpose: Purpose,
    /// The state entered.
    pub state: State,
    /// When, in seconds since 1970, UTC.
    pub time: i64,
    /// By whom.
    pub actor: Actor,
    /// Through what.
    pub channel: Channel,
    /// The notice shown last, where there was one.
    pub notice: Option<Notice>,
    /// Seconds from `time` that it is valid, for states that are.
    pub valid_seconds: Option<i64>,
}

/// A wished change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The notice is shown to the person. `asked_for` if they began.
    Show {
        /// The person began, so that neither cool-down nor the one-ask rule applies.
        asked_for: bool,
        /// Language of the notice.
        language: String,
    },
    /// The person says yes. Renews what is valid.
    Give,
    /// The person says no.
    Refuse,
    /// The person says "not now".
    Defer,
    /// The person ends it. Always possible, and repeated without effect.
    Withdraw,
    /// The operator ends it.
    Revoke,
    /// It is found defective.
    Invalidate,
}

/// Why a change is not made. Nothing changes then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Consent needs a notice that was shown, in its present words.
    #[error("the notice has to be shown first")]
    NoNotice,
    /// The gateway asked already, or the person said "not now" a short while ago.
    #[error("this was asked before; the person can begin it at any time")]
    AskedBefore,
    /// The state does not allow it.
    #[error("this is not possible from the present state")]
    NotFromHere,
    /// At the same moment another gateway was told otherwise, or the person was erased there.
    #[error("at the same moment something else was changed elsewhere; it can be asked for again")]
    Crossed,
    /// The policy in force does not offer it to this person.
    #[error("this is not available under the policy in force")]
    NotOffered,
}

/// All consents of one subject: the latest event for each purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consents {
    pub(super) latest: BTreeMap<Purpose, Event>,
    /// Versions of the notice that the gateway asked with on its own initiative.
    pub(super) asked: BTreeMap<Purpose, u32>,
}

impl Consents {
    /// Where a purpose stands at `now` (seconds since 1970): expiry is a matter of the clock and
    /// needs no event.
    pub fn state(&self, purpose: Purpose, now: i64) -> State {
        match self.latest.get(&purpose) {
            None => State::Unknown,
            Some(event) if event.state.is_valid() && !within(event, now) => State::Expired,
            Some(event) => event.state,
        }
    }

    /// Whether what is done for this purpose may be done at `now`.
    pub fn allows(&self, purpose: Purpose, now: i64) -> bool {
        self.state(purpose, now).is_valid()
    }

    /// The latest event of a purpose.
    pub fn latest(&self, purpose: Purpose) -> Option<&Event> {
        self.latest.get(&purpose)
    }

    /// The event that a change would make. Nothing changes until [`Self::accept`]: the event is
    /// logged in between, and takes effect only if it could be.
    ///
    /// # Errors
    /// [`Refused`], for the state machine's reasons.
    pub fn change(
        &self,
        purpose: Purpose,
        change: &Change,
        channel: Channel,
        now: i64,
    ) -> Result<Event, Refused> {
        let from = self.state(purpose, now);
        let shown = self.latest.get(&purpose).and_then(|e| e.notice.clone());
        let (version, _) = purpose.notice();
        let event = |state, actor, notice: Option<Notice>| Event {
            purpose,
            state,
            time: now,
            actor,
            channel,
            notice,
            valid_seconds: state.is_valid().then_some(VALID_SECONDS),
        };
        match change {
            Change::Show {
                asked_for,
                language,
            } => {
                if from.is_valid() {
                    return Err(Refused::NotFromHere);
                }
                if !asked_for && !self.may_ask(purpose, from, version, now) {
                    return Err(Refused::AskedBefore);
                }
                let notice = Notice {
                    version,
                    language: language.clone(),
                };
                Ok(event(State::Requested, Actor::Gateway, Some(notice)))
            }
            Change::Give => {
                if shown.as_ref().is_none_or(|n| n.version != version) {
                    return Err(Refused::NoNotice);
                }
                let state = if from.is_valid() {
                    State::Renewed
                } else {
                    State::Given
                };
                Ok(event(state, Actor::Person, shown))
            }
            Change::Refuse if from == State::Requested => {
                Ok(event(State::Refused, Actor::Person, shown))
            }
            Change::Defer if from == State::Requested => {
                Ok(event(State::Deferred, Actor::Person, shown))
            }
            // Stopping is never refused: from a state that is not valid it is a plain "no".
            Change::Withdraw if from.is_valid() => {
                Ok(event(State::Withdrawn, Actor::Person, shown))
            }
            Change::Withdraw => Ok(event(State::Refused, Actor::Person, shown)),
            Change::Revoke if from.is_valid() => Ok(event(State::Revoked, Actor::Operator, shown)),
            Change::Invalidate if from.is_valid() => {
                Ok(event(State::Invalidated, Actor::Operator, shown))
            }
            Change::Refuse | Change::Defer | Change::Revoke | Change::Invalidate => {
                Err(Refused::NotFromHere)
            }
        }
    }

    /// Takes an event that has been logged.
    pub fn accept(&mut self, event: Event) {
        if event.state == State::Requested
            && event.channel == Channel::Gateway
            && let Some(notice) = &event.notice
        {
            self.asked.insert(event.purpose, notice.version);
        }
        self.latest.insert(event.purpose, event);
    }

    /// At most one ask of the gateway's own per notice version; never soon after "not now".
    fn may_ask(&self, purpose: Purpose, from: State, version: u32, now: i64) -> bool {
        let cooling = from == State::Deferred
            && self
                .latest
                .get(&purpose)
                .is_some_and(|e| now.saturating_sub(e.time) < COOL_DOWN_SECONDS);
        self.asked.get(&purpose) != Some(&version) && !cooling
    }
}

impl State {
    /// Whether what is done for the purpose may be done.
    pub fn is_valid(self) -> bool {
        matches!(self, State::Given | State::Renewed)
    }
}

/// A clock that was set back does not revive or extend anything: before its own time an event does
/// not hold.
fn within(event: &Event, now: i64) -> bool {
    let valid = event.valid_seconds.unwrap_or(0);
    now >= event.time && now < event.time.saturating_add(valid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const P: Purpose = Purpose::RelationalMode;

    fn step(c: &mut Consents, change: Change, now: i64) -> Result<State, Refused> {
        let event = c.change(P, &change, Channel::Chat, now)?;
        c.accept(event);
        Ok(c.state(P, now))
    }

    fn show(asked_for: bool) -> Change {
        Change::Show {
            asked_for,
            language: "en".into(),
        }
    }

    #[test]
    fn yes_needs_a_notice_and_ends_by_itself() {
        let mut c = Consents::default();
        assert_eq!(step(&mut c, Change::Give, 0), Err(Refused::NoNotice));
        assert_eq!(step(&mut c, show(true), 1), Ok(State::Requested));
        assert!(!c.allows(P, 1));
        assert_eq!(step(&mut c, Change::Give, 2), Ok(State::Given));
        assert!(c.allows(P, 2 + VALID_SECONDS - 1));
        assert_eq!(c.state(P, 2 + VALID_SECONDS), State::Expired);
        assert_eq!(step(&mut c, Change::Give, 100), Ok(State::Renewed));
        assert!(c.allows(P, 100 + VALID_SECONDS - 1));
        assert!(!c.allows(Purpose::KeepState, 100));
    }

    #[test]
    fn stopping_is_one_step_from_anywhere() {
        let mut c = Consents::default();
        assert_eq!(step(&mut c, Change::Withdraw, 0), Ok(State::Refused));
        step(&mut c, show(true), 1).unwrap();
        step(&mut c, Change::Give, 1).unwrap();
        assert_eq!(step(&mut c, Change::Withdraw, 2), Ok(State::Withdrawn));
        assert!(!c.allows(P, 2));
    }

    #[test]
    fn the_gateway_asks_once_and_not_after_not_now() {
        let mut c = Consents::default();
        let asked = c.change(P, &show(false), Channel::Gateway, 0).unwrap();
        c.accept(asked);
        assert_eq!(
            c.change(P, &show(false), Channel::Gateway, 9),
            Err(Refused::AskedBefore)
        );
        step(&mut c, Change::Defer, 10).unwrap();
        assert!(c.change(P, &show(false), Channel::Gateway, 11).is_err());
        assert_eq!(step(&mut c, show(true), 12), Ok(State::Requested));
    }

    #[test]
    fn a_clock_set_back_opens_nothing() {
        let mut c = Consents::default();
        step(&mut c, show(true), 1000).unwrap();
        step(&mut c, Change::Give, 1000).unwrap();
        assert!(!c.allows(P, 999));
        assert!(!c.allows(P, i64::MIN));
        assert!(!c.allows(P, i64::MAX));
    }

    proptest! {
        /// No effect outside given or renewed and its time, whatever happened before.
        #[test]
        fn allowed_only_by_an_unexpired_yes(steps in proptest::collection::vec((0_u8..8, 0_i64..40_000_000), 1..60)) {
            let mut c = Consents::default();
            let mut now = 0;
            let mut yes: Option<i64> = None;
            for (what, wait) in steps {
                now += wait;
                let change = match what {
                    0 => show(true),
                    1 => show(false),
                    2 | 3 => Change::Give,
                    4 => Change::Refuse,
                    5 => Change::Defer,
                    6 => Change::Withdraw,
                    _ => Change::Revoke,
                };
                if let Ok(event) = c.change(P, &change, Channel::Api, now) {
                    yes = matches!(change, Change::Give).then_some(now);
                    c.accept(event);
                }
                let expected = yes.is_some_and(|t| now < t + VALID_SECONDS);
                prop_assert_eq!(c.allows(P, now), expected);
            }
        }
    }
}
