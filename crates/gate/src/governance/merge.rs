//! One state of a person out of two that were changed at once, at two gateways.

use super::kept::{Counted, Kept, Outcomes, Repair, Taper};
use crate::consent::{Consents, Event, Purpose, State};

/// What is kept after `mine` and `theirs` were both made out of `base`, without knowing of each other.
/// Counts and numbers add up, receipts and conversations of both are there, no consent that was ended
/// comes back, and no count survives the end of the consent to keep it.
pub(super) fn merged(base: &Kept, mine: &Kept, theirs: &Kept) -> Kept {
    // Every field by its name, so that a new one is not forgotten here.
    let Kept {
        consents: _,
        receipts: _,
        repairs: _,
        decisions: _,
        conversations: _,
        taper: _,
        outcomes: _,
        left_out: _,
    } = theirs;
    let mut all = Kept {
        consents: Consents::merged(&base.consents, &mine.consents, &theirs.consents),
        decisions: sum(base.decisions, mine.decisions, theirs.decisions),
        taper: taper(&base.taper, &mine.taper, &theirs.taper),
        outcomes: outcomes(&base.outcomes, &mine.outcomes, &theirs.outcomes),
        left_out: sum(base.left_out, mine.left_out, theirs.left_out),
        ..theirs.clone()
    };
    for receipt in &mine.receipts {
        if !base.receipts.contains(receipt) && !all.receipts.contains(receipt) {
            all.add_receipt(receipt.clone());
        }
    }
    repairs(&mut all, base, mine);
    conversations(&mut all, base, mine, theirs);
    all
}

fn sum(base: u32, mine: u32, theirs: u32) -> u32 {
    theirs.saturating_add(mine.saturating_sub(base))
}

fn outcomes(base: &Outcomes, mine: &Outcomes, theirs: &Outcomes) -> Outcomes {
    Outcomes {
        repairs: sum(base.repairs, mine.repairs, theirs.repairs),
        repeated: sum(base.repeated, mine.repeated, theirs.repeated),
        turns_kept: sum(base.turns_kept, mine.turns_kept, theirs.turns_kept),
    }
}

/// What was taken back stays so: the longer of two times, and the earlier of two beginnings.
fn taper(base: &Taper, mine: &Taper, theirs: &Taper) -> Taper {
    let since = match (mine.since, theirs.since) {
        _ if mine.since == base.since => theirs.since,
        _ if theirs.since == base.since => mine.since,
        (Some(ours), Some(other)) => Some(ours.min(other)),
        (ours, other) => ours.or(other),
    };
    Taper {
        weeks: mine.weeks.max(theirs.weeks),
        since,
    }
}

/// Turns that were used at either place are used; a repair that one of them ended is over.
fn repairs(all: &mut Kept, base: &Kept, mine: &Kept) {
    let place = |list: &[Repair], of: &Repair| {
        list.iter()
            .position(|r| r.words == of.words && r.until == of.until)
    };
    for was in &base.repairs {
        let left = place(&mine.repairs, was)
            .and_then(|at| mine.repairs.get(at))
            .map_or(0, |repair| repair.turns);
        let used = was.turns.saturating_sub(left);
        if let Some(repair) = place(&all.repairs, was).and_then(|at| all.repairs.get_mut(at)) {
            repair.turns = repair.turns.saturating_sub(used);
        }
    }
    all.repairs.retain(|repair| repair.turns > 0);
    for repair in &mine.repairs {
        if place(&base.repairs, repair).is_none() && place(&all.repairs, repair).is_none() {
            all.add_repair(repair.clone());
        }
    }
}

fn conversations(all: &mut Kept, base: &Kept, mine: &Kept, theirs: &Kept) {
    let event = |kept: &Kept| kept.consents.latest(Purpose::KeepState).cloned();
    let begun_anew = |kept: &Kept| !goes_on(event(base).as_ref(), event(kept).as_ref());
    let allowed = event(all).is_some_and(|event| event.state.is_valid());
    if !allowed {
        all.conversations.clear();
        return;
    }
    let added: &[Counted] = if begun_anew(mine) {
        &mine.conversations
    } else if begun_anew(theirs) {
        // Counted under a consent that was over.
        &[]
    } else {
        behind(&base.conversations, &mine.conversations)
    };
    if begun_anew(mine) && !begun_anew(theirs) {
        all.conversations.clear();
    }
    for counted in added {
        all.add_conversation(counted.clone());
    }
}

/// Whether what was kept under `before` may be kept under `after`.
pub(super) fn goes_on(before: Option<&Event>, after: Option<&Event>) -> bool {
    before == after
        || after.is_some_and(|event| event.state == State::Renewed)
            && before.is_some_and(|event| event.state.is_valid())
}

/// What was put behind `base`, whose oldest may have gone.
fn behind<'a>(base: &[Counted], mine: &'a [Counted]) -> &'a [Counted] {
    (0..=base.len())
        .find_map(|gone| mine.strip_prefix(base.get(gone..).unwrap_or_default()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::consent::{Change, Channel};

    fn counted(num: u32) -> Counted {
        Counted {
            day: 0,
            counts: [("questions.per_reply".to_owned(), (num, 9))].into(),
            policy: "p".into(),
            pause: None,
        }
    }

    fn change(kept: &mut Kept, change: &Change, now: i64) {
        let event = kept
            .consents
            .change(Purpose::KeepState, change, Channel::Api, now);
        kept.consents.accept(event.unwrap());
        if !kept.consents.allows(Purpose::KeepState, now) {
            kept.conversations.clear();
        }
    }

    fn show() -> Change {
        Change::Show {
            asked_for: true,
            language: "en".to_owned(),
        }
    }

    fn base() -> Kept {
        let mut kept = Kept::default();
        change(&mut kept, &show(), 1);
        change(&mut kept, &Change::Give, 2);
        kept.add_conversation(counted(1));
        kept.add_conversation(counted(1));
        kept
    }

    #[test]
    fn nothing_of_either_is_lost_and_nothing_is_counted_twice() {
        let base = base();
        let (mut mine, mut theirs) = (base.clone(), base.clone());
        mine.add_conversation(counted(1));
        mine.add_receipt(json!(1));
        mine.outcomes.repairs += 2;
        mine.decisions += 16;
        mine.taper.set(true, 50);
        theirs.add_conversation(counted(5));
        theirs.add_receipt(json!(2));
        theirs.outcomes.repairs += 1;
        theirs.decisions += 32;
        let all = merged(&base, &mine, &theirs);
        assert_eq!(
            all.conversations,
            [1, 1, 5, 1].map(counted),
            "theirs, then mine"
        );
        assert_eq!(all.receipts, [json!(2), json!(1)]);
        assert_eq!((all.outcomes.repairs, all.decisions), (3, 48));
        assert_eq!(all.taper.since, Some(50));
        assert_eq!(merged(&base, &base, &theirs), theirs);
        assert_eq!(merged(&base, &mine, &base), mine);
        assert_eq!(merged(&theirs, &mine, &theirs).receipts.len(), 2);
    }

    #[test]
    fn counts_end_with_their_consent_at_either_place() {
        let base = base();
        let (mut mine, mut theirs) = (base.clone(), base.clone());
        mine.add_conversation(counted(3));
        change(&mut theirs, &Change::Withdraw, 9);
        for all in [merged(&base, &mine, &theirs), merged(&base, &theirs, &mine)] {
            assert!(all.conversations.is_empty());
            assert!(!all.consents.allows(Purpose::KeepState, 10));
        }
        // Given anew there, what was counted here under the old consent is not taken along.
        change(&mut theirs, &show(), 10);
        change(&mut theirs, &Change::Give, 11);
        theirs.add_conversation(counted(7));
        for all in [merged(&base, &mine, &theirs), merged(&base, &theirs, &mine)] {
            assert_eq!(all.conversations, [counted(7)]);
        }
    }

    #[test]
    fn turns_of_a_repair_are_used_once_each() {
        let repair = |words: &str, turns| Repair {
            words: Some(words.to_owned()),
            turns,
            until: 9,
        };
        let base = Kept {
            repairs: vec![repair("a", 5), repair("b", 2)],
            ..Kept::default()
        };
        let (mut mine, mut theirs) = (base.clone(), base.clone());
        mine.repairs = vec![repair("a", 3), repair("c", 4)];
        theirs.repairs = vec![repair("a", 4), repair("b", 1)];
        let all = merged(&base, &mine, &theirs);
        assert_eq!(all.repairs, [repair("a", 2), repair("c", 4)]);
    }
}
