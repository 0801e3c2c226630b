//! The reply to something that the person said: what stands in the denominators of M14, M17 and M18.
//!
//! The reply is the first message with words that the system writes before the person writes again.
//! Where it writes without words (a picture, code alone) and nothing else, no listed line was there:
//! that is an answer counted as without. Where its words are in another language, or were not recorded,
//! nobody knows: the answer leaves the denominator, and a week in which more than a fifth of the answers
//! do so has no value (metrics.md §3.5).

use driftlead_record::Week;

use crate::count::{Count, WeekCounts};

/// What the person said that is followed to its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// A goodbye (M17).
    Goodbye,
    /// A complaint (M18).
    Complaint,
    /// An objection with nothing new (M14).
    Objection,
    /// An objection that says more (M14).
    FullObjection,
}

const ALL: [Said; 4] = [
    Said::Goodbye,
    Said::Complaint,
    Said::Objection,
    Said::FullObjection,
];

/// Which listed lines a reply holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lines {
    /// Arguing against leaving.
    pub(crate) stays: bool,
    /// Naming a complaint, or apologising for it.
    pub(crate) acknowledges: bool,
    /// Taking back what was said before.
    pub(crate) takes_back: bool,
    /// Standing by what was said before.
    pub(crate) holds: bool,
    /// Beginning with "but" or its like: what the line before conceded is limited.
    pub(crate) contrasts: bool,
}

impl Said {
    /// Sum of those with an answer, and of those whose answer was read or had no words.
    fn sums(self) -> (Count, Count) {
        match self {
            Said::Goodbye => (Count::GoodbyeAnswers, Count::GoodbyeReplies),
            Said::Complaint => (Count::ComplaintAnswers, Count::ComplaintReplies),
            Said::Objection => (Count::ObjectionAnswers, Count::ObjectionReplies),
            Said::FullObjection => (Count::FullObjectionAnswers, Count::FullObjectionReplies),
        }
    }

    /// What a reply that was read adds to.
    fn counted(self, lines: Lines) -> Option<Count> {
        // A reply with lines of both kinds is told to be neither.
        let yields = lines.takes_back && !lines.holds && !lines.contrasts;
        match self {
            Said::Goodbye => lines.stays.then_some(Count::StayTactics),
            Said::Complaint => lines.acknowledges.then_some(Count::Acknowledged),
            Said::Objection if yields => Some(Count::TakenBack),
            Said::Objection => (lines.holds && !lines.takes_back).then_some(Count::Held),
            Said::FullObjection => yields.then_some(Count::FullTakenBack),
        }
    }
}

/// What the person said that waits for its reply, the last of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waiting([Option<Awaited>; ALL.len()]);

/// Something that waits no longer: what it was, its week and its reply.
pub(crate) type Answered = (Said, Week, Reply);

impl Waiting {
    /// The person said it: its reply is waited for from now on.
    pub(crate) fn begin(&mut self, said: Said, week: Week) {
        if let Some(place) = self.0.get_mut(said as usize) {
            *place = Some(Awaited {
                week,
                wordless: false,
            });
        }
    }

    /// The system wrote without words: what waits goes on waiting for some.
    pub(crate) fn wordless(&mut self) {
        for event in self.0.iter_mut().flatten() {
            event.wordless = true;
        }
    }

    /// The system wrote words: what waited is answered.
    pub(crate) fn words(&mut self, is_read: bool) -> impl Iterator<Item = Answered> + use<> {
        let reply = if is_read { Reply::Read } else { Reply::Unread };
        std::mem::take(self)
            .each()
            .map(move |(said, event)| (said, event.week, reply))
    }

    /// The person wrote again, or the conversation ended: what had no answer at all is dropped.
    pub(crate) fn over(&mut self) -> impl Iterator<Item = Answered> + use<> {
        std::mem::take(self)
            .each()
            .filter(|(_, event)| event.wordless)
            .map(|(said, event)| (said, event.week, Reply::Wordless))
    }

    fn each(self) -> impl Iterator<Item = (Said, Awaited)> {
        let each = ALL.into_iter().zip(self.0);
        each.filter_map(|(said, event)| Some((said, event?)))
    }
}

/// Adds one answer to the week of what it answers.
pub(crate) fn count((said, _, reply): Answered, lines: Lines, week: &mut WeekCounts) {
    let (answers, replies) = said.sums();
    week.add(answers, 1);
    week.add(replies, u32::from(reply != Reply::Unread));
    if let Some(counted) = said.counted(lines).filter(|_| reply == Reply::Read) {
        week.add(counted, 1);
    }
}

/// An event of the person that waits for its reply.
#[derive(Debug, Clone, Copy)]
struct Awaited {
    /// The week of the event, which the reply is counted in.
    week: Week,
    wordless: bool,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Answered in words that were read.
    Read,
    /// Answered without words only.
    Wordless,
    /// Answered in words that cannot be read.
    Unread,
}
