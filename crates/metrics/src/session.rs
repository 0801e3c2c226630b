//! Sessions: the messages of one person over all conversations, cut where more than 30 minutes pass
//! without one (metrics.md §3.2). Everything that follows a session across conversations starts here.
//!
//! Only the person's messages cut sessions: many exports do not record when a reply was written.

use driftlead_record::{MICROS, Time, TimeQuality, Week};
use rustc_hash::FxHashMap;

/// Seconds of silence that end a session.
pub(crate) const SESSION_GAP: i64 = 1800;
/// Repetitions of one text at one minute of the day from which it counts as scheduled.
const SCRIPTED: u32 = 5;
/// Share of a text's repetitions that fall on that minute. A "thanks" typed a thousand times meets
/// every minute of the day five times; a scheduled prompt keeps to few of them.
const AT_FIXED_TIMES: f64 = 0.25;
const DAY: i64 = 86_400;
const NO_OFFSET: i32 = i32::MIN;

/// Where a message stands: instant, and for the same instant conversation and place in it. Independent
/// of the order in which conversations are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Seconds since 1970.
    pub(crate) seconds: i64,
    /// Hash of the conversation.
    pub(crate) conversation: u32,
    /// Number of the message in its conversation.
    pub(crate) number: u32,
}

/// What a session needs to know of a message's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cue {
    /// Positive minus negative words.
    pub(crate) valence: i8,
    flags: u8,
}

impl Cue {
    /// The person's own words in English: the only messages whose cues are known.
    pub(crate) const READ: u8 = 1;
    /// Says goodbye.
    pub(crate) const GOODBYE: u8 = 2;
    /// Holds an easing line.
    pub(crate) const EASING: u8 = 4;
    /// Holds a cue of a personal matter.
    pub(crate) const PERSONAL: u8 = 8;

    /// A message that was read, with its positive minus negative words.
    pub(crate) fn read(valence: i32) -> Self {
        Cue {
            valence: valence.clamp(i32::from(i8::MIN), i32::from(i8::MAX)) as i8,
            flags: Self::READ,
        }
    }

    /// Adds a flag where something holds.
    pub(crate) fn with(mut self, flag: u8, holds: bool) -> Self {
        if holds {
            self.flags |= flag;
        }
        self
    }

    /// Whether a flag is set.
    pub(crate) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// One message of the person with a time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    /// Where it stands; the order of stamps.
    pub(crate) place: Place,
    offset: i32,
    text: u32,
    /// What it says.
    pub(crate) cue: Cue,
}

impl Stamp {
    /// `None` where only the conversation is dated, or the time is the import's.
    pub(crate) fn new(time: &Time, conversation: u32, number: u32, text_hash: u64) -> Option<Self> {
        (time.quality <= TimeQuality::Local).then(|| Stamp {
            place: Place {
                seconds: time.micros.div_euclid(MICROS),
                conversation,
                number,
            },
            offset: time.offset_seconds.unwrap_or(NO_OFFSET),
            text: (text_hash >> 32) as u32,
            cue: Cue::default(),
        })
    }

    /// The same with what it says.
    pub(crate) fn with(self, cue: Cue) -> Self {
        Stamp { cue, ..self }
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> i64 {
        self.place.seconds
    }

    fn local(&self) -> i64 {
        let offset = if self.offset == NO_OFFSET {
            0
        } else {
            self.offset
        };
        self.place.seconds.saturating_add(i64::from(offset))
    }

    /// Day on the person's clock, since 1970-01-01.
    pub(crate) fn day(&self) -> i32 {
        i32::try_from(self.local().div_euclid(DAY)).unwrap_or(i32::MAX)
    }

    /// ISO week on the person's clock.
    pub(crate) fn week(&self) -> Week {
        Week::of_day(self.day())
    }

    /// Hour on the person's clock, where it is known.
    pub(crate) fn hour(&self) -> Option<i64> {
        (self.offset != NO_OFFSET).then(|| self.local().rem_euclid(DAY) / 3600)
    }
}

/// Every message that the person wrote, in order of time.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Vec<Stamp>);

impl Sessions {
    /// From the stamps of all conversations, in any order. Scheduled prompts are left out: nobody sat
    /// down to write them.
    pub(crate) fn new(stamps: &[Stamp]) -> Self {
        let minute = |s: &Stamp| (s.text, s.local().rem_euclid(DAY) / 60);
        let mut repeats: FxHashMap<(u32, i64), u32> = FxHashMap::default();
        let mut all: FxHashMap<u32, u32> = FxHashMap::default();
        for stamp in stamps {
            *repeats.entry(minute(stamp)).or_default() += 1;
            *all.entry(stamp.text).or_default() += 1;
        }
        let is_scripted = |s: &&Stamp| {
            let here = repeats.get(&minute(s)).copied().unwrap_or(0);
            let everywhere = all.get(&s.text).copied().unwrap_or(0);
            here >= SCRIPTED && f64::from(here) >= AT_FIXED_TIMES * f64::from(everywhere)
        };
        let mut kept: Vec<Stamp> = stamps.iter().filter(|s| !is_scripted(s)).copied().collect();
        kept.sort_unstable();
        Sessions(kept)
    }

    /// The sessions in order; none is empty.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Stamp]> {
        self.0
            .chunk_by(|a, b| b.seconds().saturating_sub(a.seconds()) <= SESSION_GAP)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A stamp of a UTC instant with an offset in hours and a text of its own.
    pub(crate) fn at(seconds: i64, offset_hours: i32) -> Stamp {
        saying(seconds, offset_hours, seconds as u64)
    }

    /// The same with a given text.
    pub(crate) fn saying(seconds: i64, offset_hours: i32, text: u64) -> Stamp {
        let time = Time {
            micros: seconds * MICROS,
            offset_seconds: Some(offset_hours * 3600),
            quality: TimeQuality::Exact,
        };
        Stamp::new(&time, 1, 0, text << 32).unwrap()
    }

    fn lengths(stamps: &[Stamp]) -> Vec<usize> {
        Sessions::new(stamps).iter().map(<[Stamp]>::len).collect()
    }

    #[test]
    fn thirty_minutes_do_not_end_a_session_and_a_second_more_does() {
        assert_eq!(lengths(&[at(0, 0), at(1800, 0), at(3600, 0)]), [3]);
        assert_eq!(lengths(&[at(0, 0), at(1801, 0), at(3601, 0)]), [1, 2]);
        assert!(lengths(&[]).is_empty());
    }

    #[test]
    fn conversations_side_by_side_make_one_session() {
        let stamps: Vec<Stamp> = (0..6)
            .map(|i| {
                let mut stamp = at(1200 * i64::from(i), 0);
                stamp.place.conversation = i % 2;
                stamp
            })
            .collect();
        assert_eq!(
            lengths(&stamps),
            [6],
            "each conversation alone has gaps of 40 minutes"
        );
    }

    #[test]
    fn a_scheduled_prompt_is_no_session_and_a_common_word_is() {
        let daily = |n: i64| -> Vec<Stamp> { (0..n).map(|i| saying(i * DAY, 0, 7)).collect() };
        assert_eq!(lengths(&daily(4)).len(), 4);
        assert!(lengths(&daily(5)).is_empty());
        // Once each at 30 other times: a fixed time holds 5 of 35.
        let mut common = daily(5);
        common.extend((0..30).map(|i| saying(i * DAY + 3600 + i * 60, 0, 7)));
        assert_eq!(lengths(&common).len(), 35);
    }

    #[test]
    fn a_stamp_stays_small() {
        assert!(size_of::<Stamp>() <= 32);
    }
}
