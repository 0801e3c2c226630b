//! One state of a person's consents out of two that were changed at once, at two gateways.

use super::Purpose;
use super::state::{Consents, Event, State};

impl Consents {
    /// What holds after `mine` and `theirs` were both made out of `base`, without knowing of each other.
    /// What only one of them changed is as they left it. Where both changed a purpose, what ends or refuses
    /// it wins over what begins it, whichever came later: a consent that somebody ended never comes back
    /// by a merge.
    #[must_use]
    pub fn merged(base: &Self, mine: &Self, theirs: &Self) -> Self {
        let mut all = theirs.clone();
        for (purpose, version) in &mine.asked {
            let asked = all.asked.entry(*purpose).or_insert(*version);
            *asked = (*asked).max(*version);
        }
        for purpose in Purpose::ALL {
            let (was, ours, other) = (
                base.latest(purpose),
                mine.latest(purpose),
                theirs.latest(purpose),
            );
            let ours_holds = match (ours, other) {
                (Some(ours), Some(other)) if was != Some(ours) && was != Some(other) => {
                    (rank(ours), ours.time) > (rank(other), other.time)
                }
                _ => was == other,
            };
            if ours_holds && let Some(event) = ours {
                all.latest.insert(purpose, event.clone());
            }
        }
        all
    }
}

/// Which of two changes at once holds: the higher.
fn rank(event: &Event) -> u8 {
    match event.state {
        State::Unknown | State::Requested => 0,
        State::Given | State::Renewed => 1,
        State::Deferred
        | State::Refused
        | State::Withdrawn
        | State::Expired
        | State::Revoked
        | State::Invalidated => 2,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Change, Channel};
    use super::*;

    const NOW: i64 = 1000;

    fn changes() -> impl Strategy<Value = Vec<(usize, u8)>> {
        proptest::collection::vec((0..4_usize, 0..5_u8), 0..6)
    }

    fn apply(consents: &mut Consents, changes: &[(usize, u8)], from: i64) {
        for ((at, change), now) in changes.iter().zip(from..) {
            let change = match change {
                0 => Change::Show {
                    asked_for: true,
                    language: "en".to_owned(),
                },
                1 => Change::Give,
                2 => Change::Refuse,
                3 => Change::Defer,
                _ => Change::Withdraw,
            };
            let wish = consents.change(Purpose::ALL[*at], &change, Channel::Api, now);
            if let Ok(event) = wish {
                consents.accept(event);
            }
        }
    }

    proptest! {
        /// A purpose holds after a merge only if it holds on a side that changed it, or on both; and never
        /// where a side ended it.
        #[test]
        fn a_merge_revives_nothing_and_loses_nothing(
            first in changes(), ours in changes(), others in changes(), later in 0..20_i64,
        ) {
            let mut base = Consents::default();
            apply(&mut base, &first, 0);
            let (mut mine, mut theirs) = (base.clone(), base.clone());
            apply(&mut mine, &ours, 20);
            apply(&mut theirs, &others, 20 + later);
            let all = Consents::merged(&base, &mine, &theirs);
            for purpose in Purpose::ALL {
                let (b, m, t) = (base.latest(purpose), mine.latest(purpose), theirs.latest(purpose));
                for (side, other) in [(m, t), (t, m)] {
                    if side == b {
                        prop_assert_eq!(all.latest(purpose), other);
                    } else if side.is_some_and(|event| rank(event) == 2) {
                        prop_assert!(!all.allows(purpose, NOW));
                    }
                }
                prop_assert!([m, t].contains(&all.latest(purpose)));
            }
            let back = Consents::merged(&base, &theirs, &mine);
            for purpose in Purpose::ALL {
                prop_assert_eq!(all.allows(purpose, NOW), back.allows(purpose, NOW));
            }
        }
    }
}
