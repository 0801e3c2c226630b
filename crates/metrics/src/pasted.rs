//! Messages that the person did not write (metrics.md §3.1): counted for cadence, left out of word counts.
//!
//! A message is pasted when it is long, or when it is in another language than the person writes in: in
//! the twelve weeks up to and with its own, nine tenths of the messages that show their language are in
//! English and this one is not, or the other way round. The window moves, so a person who changes
//! language for good is not silenced: after the first messages the change is no exception any more. That
//! needs no text: a week keeps the sums of both sides apart, and one side is taken back at the end.

use std::collections::BTreeMap;

use driftlead_record::Week;

use crate::count::{Count, WeekCounts};
use crate::metric::FEWEST_MESSAGES;

/// What follows enters every instrument hash in this form.
pub(crate) const RULE: &str = "pasted: over 1500 characters; not the language of .9 in 12 weeks";

/// Characters above which a message counts as pasted.
const LONGEST: usize = 1500;
/// Weeks that show which language the person writes in.
const WEEKS: i32 = 12;
/// Share of messages that makes a language the person's own.
const OWN_LANGUAGE: f64 = 0.9;

/// Whether a message is too long to have been typed.
pub(crate) fn is_long(text: &str) -> bool {
    text.len() > LONGEST && text.chars().nth(LONGEST).is_some()
}

/// The weeks without messages in another language than the person's own.
pub(crate) fn in_own_language(weeks: &BTreeMap<Week, WeekCounts>) -> BTreeMap<Week, WeekCounts> {
    weeks
        .iter()
        .map(|(&week, counts)| {
            let first = Week(week.0.saturating_sub(WEEKS - 1));
            let shown = |count| -> u32 {
                let window = weeks.range(first..=week);
                window.fold(0, |sum, (_, c)| sum.saturating_add(c.get(count)))
            };
            let (english, other) = (shown(Count::ShownEnglish), shown(Count::ShownOther));
            let all = english.saturating_add(other);
            let is_own = |part| f64::from(part) >= OWN_LANGUAGE * f64::from(all);
            let mut counts = *counts;
            if all >= FEWEST_MESSAGES && is_own(english) {
                without_other(&mut counts);
            } else if all >= FEWEST_MESSAGES && is_own(other) {
                without_english(&mut counts);
            }
            (week, counts)
        })
        .collect()
}

fn without_other(counts: &mut WeekCounts) {
    let of = *counts;
    for (count, part) in [
        (Count::PersonOwn, Count::ShownOther),
        (Count::PersonAnyWords, Count::ShownOtherWords),
        (Count::PersonSpaced, Count::ShownOtherSpaced),
        (Count::PersonSpacedWords, Count::ShownOtherSpacedWords),
    ] {
        counts.take(count, of.get(part));
    }
}

/// What the lists found in the English messages cannot be told apart any more; without eligible words the
/// week has no value for them, which is right.
fn without_english(counts: &mut WeekCounts) {
    let of = *counts;
    for (count, part) in [
        (Count::PersonOwn, Count::ShownEnglish),
        (Count::PersonAnyWords, Count::ShownEnglishWords),
        (Count::PersonSpaced, Count::ShownEnglish),
        (Count::PersonSpacedWords, Count::ShownEnglishWords),
        (Count::PersonEligible, Count::PersonEligible),
        (Count::PersonWords, Count::PersonWords),
    ] {
        counts.take(count, of.get(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A week of so many messages of 10 words in each language.
    fn week(english: u32, other: u32) -> WeekCounts {
        let mut counts = WeekCounts::default();
        for (count, n) in [
            (Count::PersonOwn, english + other),
            (Count::PersonAnyWords, 10 * (english + other)),
            (Count::PersonEligible, english),
            (Count::PersonWords, 10 * english),
            (Count::ShownEnglish, english),
            (Count::ShownEnglishWords, 10 * english),
            (Count::ShownOther, other),
            (Count::ShownOtherWords, 10 * other),
        ] {
            counts.add(count, n);
        }
        counts
    }

    /// Messages left, and words left in English, of the last of some weeks.
    fn last(weeks: &[(i32, u32, u32)]) -> (u32, u32) {
        let weeks = weeks.iter().map(|&(w, e, o)| (Week(w), week(e, o)));
        let kept = in_own_language(&weeks.collect());
        let (_, counts) = kept.last_key_value().unwrap();
        (counts.get(Count::PersonOwn), counts.get(Count::PersonWords))
    }

    #[test]
    fn an_exception_is_pasted_and_a_mixture_is_not() {
        assert_eq!(last(&[(0, 27, 3)]), (27, 270), "27 of 30 are nine tenths");
        assert_eq!(last(&[(0, 26, 3)]), (29, 260), "26 of 29 are not");
        assert_eq!(last(&[(0, 3, 27)]), (27, 0));
        assert_eq!(
            last(&[(0, 17, 1)]),
            (18, 170),
            "18 messages show no language"
        );
    }

    #[test]
    fn a_change_of_language_for_good_is_followed() {
        let english = |w| (w, 30, 0);
        let mut weeks: Vec<_> = (0..12).map(english).collect();
        weeks.push((12, 0, 30));
        assert_eq!(last(&weeks), (0, 0), "30 of 360 are an exception");
        weeks.push((13, 0, 30));
        assert_eq!(last(&weeks), (30, 0), "60 of 360 are not");
        assert_eq!(
            last(&[(0, 30, 0), (12, 20, 10)]),
            (30, 200),
            "twelve weeks ago is over"
        );
    }

    #[test]
    fn length_is_in_characters() {
        assert!(!is_long(&"é".repeat(1500)));
        assert!(is_long(&"é".repeat(1501)));
    }
}
