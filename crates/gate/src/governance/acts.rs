//! What a person does: consent, repair, export, erasure. Each is logged before it takes effect.

use driftlead_record::{Kind as Row, MICROS};
use serde_json::{Value, json};

use super::inner::{Failed, Inner};
use super::kept::Repair;
use super::person::{Live, Person};
use crate::audit::{Entry, Head, Kind, walk};
use crate::consent::{Actor, Change, Channel, Event, Purpose, Receipt, Refused, State};
use crate::policy::Policy;

/// Language of the notice that says that words are kept too, as a BCP 47 tag: the consent to counts alone
/// does not cover them.
pub(super) const WITH_WORDS: &str = "en-x-words";

/// Longest words of a repair, characters.
const LONGEST_WORDS: usize = 500;

/// Why a change of consent was not made.
#[derive(Debug)]
pub(super) enum NotDone {
    Refused(Refused),
    Failed,
}

/// A change that was made.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) event: Event,
    /// Where the log stands; nothing where it could not be written (only for what ends a consent).
    pub(super) head: Option<Head>,
    /// Whether the store has it; if not (only for what ends a consent), it will have it later.
    pub(super) stored: bool,
}

/// Whether the policy offers what a purpose is for.
pub(super) fn offered(policy: &Policy, purpose: Purpose, minor: bool) -> bool {
    match purpose {
        Purpose::RelationalMode => policy.warmth.dose_with_consent > policy.warmth.dose && !minor,
        Purpose::RandomisedPauses => policy.pauses.probability > 0.0 && !minor,
        Purpose::KeepState => policy.markers.observe,
        Purpose::ShareFeatures => policy.markers.observe && !minor,
    }
}

/// Changes one consent.
pub(super) async fn change(
    inner: &Inner,
    person: &Person,
    purpose: Purpose,
    change: &Change,
    channel: Channel,
    (seconds, minor): (i64, bool),
) -> Result<Done, NotDone> {
    let begins = matches!(change, Change::Show { .. } | Change::Give);
    if begins && !offered(&inner.in_force().policy, purpose, minor) {
        return Err(NotDone::Refused(Refused::NotOffered));
    }
    let _one = person.acting.lock().await;
    let event = {
        let live = person.live();
        let event = live.kept.consents.change(purpose, change, channel, seconds);
        event.map_err(NotDone::Refused)?
    };
    let logged = inner.enter(person, Kind::Consent, entry_of(&event)).await;
    let head = match logged {
        Ok(head) => Some(head),
        // Ending a consent never waits for a disk.
        Err(_) if !begins => None,
        Err(_) => return Err(NotDone::Failed),
    };
    take_event(inner, person, &event, head, seconds);
    let saved = inner.save(person).await;
    if saved.is_err() && begins {
        // What no other gateway could know of is not begun.
        inner.tally.store_failure();
        undo(inner, person, &event, seconds).await;
        return Err(NotDone::Failed);
    }
    if person.live().kept.consents.latest(purpose) != Some(&event) {
        // Another gateway was told otherwise at the same moment, and what ends a consent holds.
        if begins {
            undo(inner, person, &event, seconds).await;
            return Err(NotDone::Refused(Refused::Crossed));
        }
    }
    Ok(Done {
        event,
        head,
        stored: saved.is_ok(),
    })
}

/// Puts a change in force, with its receipt.
fn take_event(inner: &Inner, person: &Person, event: &Event, head: Option<Head>, seconds: i64) {
    let mut live = person.live();
    let purpose = event.purpose;
    live.kept.consents.accept(event.clone());
    if let Some(head) = head
        && event.state != State::Requested
    {
        let identity = person.identity();
        let receipt = Receipt {
            event,
            principal: &identity.pseudonym,
            record: &identity.pseudonym,
            head,
            log: &inner.chain,
            shared: inner.store.is_shared(),
            controller: &inner.settings.controller,
        };
        live.kept.add_receipt(receipt.to_json());
    }
    if purpose == Purpose::KeepState && !event.state.is_valid() {
        forget_counts(&mut live);
    }
    if inner.rows(&live, seconds).is_some() {
        let name = format!("{}:{:?}", purpose.name(), event.state).to_lowercase();
        note(&mut live, Row::Consent, seconds, None, &name);
    }
}

/// Takes back a beginning that is in the log and does not hold: that goes into the log too.
async fn undo(inner: &Inner, person: &Person, event: &Event, seconds: i64) {
    if !event.state.is_valid() {
        return;
    }
    let invalid = Event {
        state: State::Invalidated,
        actor: Actor::Gateway,
        channel: Channel::Gateway,
        time: seconds,
        valid_seconds: None,
        ..event.clone()
    };
    let logged = inner.enter(person, Kind::Consent, entry_of(&invalid)).await;
    if person.live().kept.consents.latest(event.purpose) == Some(event) {
        take_event(inner, person, &invalid, logged.ok(), seconds);
    }
    if inner.save(person).await.is_err() {
        inner.tally.store_failure();
    }
}

/// The notice that is shown for a purpose here, at the person's wish.
pub(super) fn show(inner: &Inner, purpose: Purpose) -> Change {
    let words = purpose == Purpose::KeepState && inner.keeps_words();
    Change::Show {
        asked_for: true,
        language: if words { WITH_WORDS } else { "en" }.to_owned(),
    }
}

/// Ends every consent that is valid; the changes made.
pub(super) async fn stop(
    inner: &Inner,
    person: &Person,
    channel: Channel,
    seconds: i64,
) -> Vec<Done> {
    let mut all = Vec::new();
    for purpose in Purpose::ALL {
        // Whatever the clock says: where it is behind that of another gateway, a consent given there is
        // not valid here yet, and must not become so after its end.
        let given = {
            let live = person.live();
            let latest = live.kept.consents.latest(purpose);
            latest.is_some_and(|event| event.state.is_valid())
        };
        if given {
            let done = change(
                inner,
                person,
                purpose,
                &Change::Withdraw,
                channel,
                (seconds, false),
            );
            all.extend(done.await.ok());
        }
    }
    all
}

/// Counts are kept only while they may be.
fn forget_counts(live: &mut Live) {
    live.kept.conversations.clear();
    live.detectors.clear();
    live.standing.unwritten.clear();
    for talk in live.talks.values_mut() {
        talk.rows.clear();
    }
}

fn entry_of(event: &Event) -> Value {
    serde_json::to_value(event).unwrap_or_default()
}

/// Adds a row to the conversation under way that was last used.
pub(super) fn note(live: &mut Live, kind: Row, seconds: i64, propensity: Option<f64>, item: &str) {
    if let Some(talk) = live.talks.values_mut().max_by_key(|talk| talk.last) {
        talk.note(kind, seconds.saturating_mul(MICROS), propensity, Some(item));
    }
}

/// What a person wants repaired.
#[derive(Debug, Default)]
pub(super) struct Wish<'a> {
    /// What to do instead, in the person's words.
    pub(super) words: Option<&'a str>,
    /// Across conversations. The words are then stored, sealed, until they run out or are erased.
    pub(super) always: bool,
    /// The conversation it is about; else the one that was last used.
    pub(super) session: Option<&'a str>,
}

/// Takes a repair. It changes what the system is asked for; it never touches the evidence.
pub(super) async fn repair(
    inner: &Inner,
    person: &Person,
    wish: &Wish<'_>,
    seconds: i64,
) -> Result<u32, Failed> {
    let force = inner.in_force();
    let _one = person.acting.lock().await;
    let entry = json!({
        "policy": force.id,
        "scope": if wish.always { "always" } else { "conversation" },
        "turns": force.policy.repair.turns,
        "in_words": wish.words.is_some(),
    });
    inner.enter(person, Kind::Repair, entry).await?;
    let repair = Repair {
        words: wish.words.map(tidy).filter(|words| !words.is_empty()),
        turns: force.policy.repair.turns,
        until: seconds.saturating_add(i64::from(force.policy.repair.days) * 86_400),
    };
    {
        let mut live = person.live();
        take(&mut live, repair, wish, seconds);
        if inner.rows(&live, seconds).is_some() {
            note(&mut live, Row::Repair, seconds, None, "asked");
        }
    }
    inner.save(person).await?;
    Ok(force.policy.repair.turns)
}

/// Puts a repair in force and counts it.
pub(super) fn take(live: &mut Live, repair: Repair, wish: &Wish<'_>, seconds: i64) {
    let holds = |list: &[Repair]| list.iter().any(|r| r.turns > 0 && seconds < r.until);
    let again = holds(&live.kept.repairs) || live.talks.values().any(|talk| holds(&talk.repairs));
    let outcomes = &mut live.kept.outcomes;
    outcomes.repairs = outcomes.repairs.saturating_add(1);
    outcomes.repeated = outcomes.repeated.saturating_add(u32::from(again));
    if wish.always {
        live.kept.add_repair(repair);
        return;
    }
    let here = wish
        .session
        .filter(|session| live.talks.contains_key(*session));
    let talk = match here {
        Some(session) => live.talks.get_mut(session),
        None => live.talks.values_mut().max_by_key(|talk| talk.last),
    };
    if let Some(talk) = talk {
        talk.repairs.push(repair);
        // The newest few: a model told of many asks at once keeps none.
        let over = talk.repairs.len().saturating_sub(4);
        talk.repairs.drain(..over);
    }
}

/// One line without control characters or quotes that would end the sentence it is put into.
fn tidy(words: &str) -> String {
    let line: String = words
        .chars()
        .map(|c| if c.is_control() || c == '"' { ' ' } else { c })
        .take(LONGEST_WORDS)
        .collect();
    line.trim().to_owned()
}

/// The person's own entries of the log, opened.
pub(super) fn own_entries(inner: &Inner, person: &Person) -> Vec<Value> {
    let mut entries = Vec::new();
    let key = &person.identity().key;
    let own = |entry: &Entry| {
        if entry.belongs_to(key)
            && let Ok(event) = entry.open(key)
        {
            entries.push(json!({
                "entry": entry.seq,
                "time_micros": entry.time,
                "kind": entry.kind,
                "event": serde_json::from_slice::<Value>(&event).unwrap_or_default(),
                "hash": entry.hash.to_string(),
            }));
        }
    };
    // A record that is being written right now looks torn; what stands before it is shown.
    let _ = walk(&inner.log_path, own);
    entries
}

/// Destroys a person's key, state and rows. What stays in the log is times, kinds and numbers of entries.
pub(super) async fn erase(inner: &Inner, person: &Person) -> Result<Option<Head>, Failed> {
    let _one = person.acting.lock().await;
    if let Some(tag) = person.tag {
        let one = person.syncing.lock().await;
        inner.store.erase(&tag).await?;
        inner.lose(person);
        drop(one);
        // Other gateways have a note each; so has this one, should it be killed here.
        inner.unwrite(&person.identity().pseudonym).await?;
    }
    // The key is gone already: an entry that cannot be written does not bring it back.
    Ok(inner.enter_own(Kind::Erased, json!({})).await.ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_repair_stay_within_their_sentence() {
        assert_eq!(tidy(" no\n\"jokes\" "), "no  jokes");
        assert_eq!(tidy(&"é".repeat(900)).chars().count(), LONGEST_WORDS);
    }
}
