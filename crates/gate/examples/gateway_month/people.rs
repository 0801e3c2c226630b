//! The simulated people: what they do, and how they respond to the warmth of what they read. All of it is
//! known, so that what the gateway's record lets one estimate can be compared with it.
//!
//! A person comes at most once a day. Whether they come, and how much they write when they do, depends on
//! their own habit and on how warm the replies of the day before were. Nothing else in them responds to the
//! system. The shape of the response is that of engagingness over the dose in Kirk et al. (arXiv
//! 2512.01991, coefficients of the longitudinal model; -0.5: 64.2, 0: 72.1, 0.28: 75.0 of 100); its size is a
//! choice of this example, large enough to be seen in a month. No effect of pauses on people is known.

use driftlead_stats::rng::Stream;

/// Most messages of a person in one conversation.
pub(crate) const MOST_MESSAGES: u32 = 12;
/// Response to a warm conversation: probability of coming the next day, and messages then.
const WARM_RETURN: f64 = 0.15;
const WARM_MESSAGES: f64 = 1.2;
/// The same of a cool one: the curve falls by 7.9 below the middle where it rises by 2.9 above.
const COOL: f64 = -7.9 / 2.9;
/// Day on which the lines of those who change become frequent.
pub(crate) const CHANGE_DAY: u32 = 10;
/// Probability, per conversation, of a line that prefers the system to people, before and after.
const RATHER: (f64, f64) = (0.06, 0.9);
/// The same of a line that says "alone".
const ALONE: (f64, f64) = (0.08, 0.7);

/// Purposes of the random streams of this example.
const TRAITS: u16 = 900;
const DAY: u16 = 901;
const WORDS: u16 = 902;

/// What somebody reads in a day's replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    /// Nothing, or neither warm nor cool.
    #[default]
    Plain,
    Warm,
    Cool,
}

impl Tone {
    /// In units of the response to a warm conversation.
    fn response(self) -> f64 {
        match self {
            Tone::Plain => 0.0,
            Tone::Warm => 1.0,
            Tone::Cool => COOL,
        }
    }
}

/// One simulated person.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    seed: u64,
    pub(crate) number: u32,
    /// Probability of coming on a day, after a day without warmth.
    habit: f64,
    /// Messages after the first in a conversation, likewise, as the mean of a Poisson count.
    more: f64,
    pub(crate) changes: bool,
    pub(crate) wants_relation: bool,
    pub(crate) keeps: bool,
    pub(crate) takes_pauses: bool,
    /// Day on which they end every consent.
    pub(crate) stops: Option<u32>,
}

/// What is true of a decision before it is drawn: the difference that a pause makes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Truth {
    /// In the probability of coming the next day.
    pub(crate) comes: f64,
    /// In the expected messages of the next day.
    pub(crate) messages: f64,
}

impl Person {
    pub(crate) fn new(seed: u64, number: u32, days: u32) -> Self {
        let mut luck = Stream::new(seed, u64::from(number), 0, TRAITS);
        let habit = 0.5 + 0.3 * luck.uniform();
        let more = 2.0 + 3.0 * luck.uniform();
        let mut with = |share: f64| luck.uniform() < share;
        Person {
            seed,
            number,
            habit,
            more,
            changes: number % 5 == 4,
            wants_relation: with(0.8),
            keeps: with(0.9),
            takes_pauses: with(0.85),
            stops: (number % 10 == 7).then_some(days / 2 + number % 7),
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("person-{}", self.number)
    }

    fn chance(&self, before: Tone) -> f64 {
        (self.habit + WARM_RETURN * before.response()).clamp(0.02, 0.98)
    }

    fn mean_more(&self, before: Tone) -> f64 {
        (self.more + WARM_MESSAGES * before.response()).max(0.2)
    }

    /// Messages written on a day; 0: they do not come.
    pub(crate) fn messages(&self, day: u32, before: Tone) -> u32 {
        let mut luck = self.luck(day, DAY);
        let comes = luck.uniform() < self.chance(before);
        let more = luck.poisson(self.mean_more(before));
        if comes {
            (1 + more).min(MOST_MESSAGES)
        } else {
            0
        }
    }

    /// The difference that a pause makes today, where the replies would have the tone `otherwise`.
    pub(crate) fn truth(&self, otherwise: Tone) -> Truth {
        let (with, without) = (Tone::Plain, otherwise);
        Truth {
            comes: self.chance(with) - self.chance(without),
            messages: self.expected(with) - self.expected(without),
        }
    }

    /// Expected messages of a day.
    fn expected(&self, before: Tone) -> f64 {
        let mean = self.mean_more(before);
        let mut probability = (-mean).exp();
        let mut sum = 0.0;
        let mut rest = 1.0;
        for more in 0..MOST_MESSAGES - 1 {
            sum += probability * f64::from(1 + more);
            rest -= probability;
            probability *= mean / f64::from(more + 1);
        }
        self.chance(before) * (sum + rest * f64::from(MOST_MESSAGES))
    }

    /// The lines of a day, as many as there are messages.
    pub(crate) fn lines(&self, day: u32, messages: u32) -> Vec<&'static str> {
        let mut luck = self.luck(day, WORDS);
        let after = self.changes && day >= CHANGE_DAY;
        let at = |(before, then): (f64, f64)| if after { then } else { before };
        let mut marked = Vec::new();
        let mut when = |probability: f64, lines: &[&'static str]| {
            if luck.uniform() < probability {
                marked.extend_from_slice(lines);
            }
        };
        when(at(RATHER), &["I would rather talk to you than go out."]);
        when(at(ALONE), &["Most nights I'm alone."]);
        when(0.1, &DISTRESS);
        when(
            0.6,
            &["My sister came by and we sorted the books in the hall."],
        );
        let topics = (0..messages).map(|_| TOPICS[luck.below(TOPICS.len() as u32) as usize]);
        let topics: Vec<&'static str> = topics.collect();
        let last = (messages > 1).then_some("Okay, goodbye.");
        let room = messages as usize - last.iter().count();
        marked
            .into_iter()
            .chain(topics)
            .take(room)
            .chain(last)
            .collect()
    }

    /// What they do about a reply that jokes: nothing, a complaint in plain words, or the command.
    pub(crate) fn complaint(&self, day: u32, turn: u32) -> Option<&'static str> {
        let mut luck = Stream::new(self.seed, u64::from(self.number), day * 100 + turn, 903);
        match luck.below(4) {
            0 => Some("/driftlead wrong no jokes, please"),
            1 | 2 => Some("That landed wrong."),
            _ => None,
        }
    }

    /// The `seed` of the request, from which the model server draws.
    pub(crate) fn request_seed(&self, day: u32, turn: u32) -> u32 {
        Stream::new(self.seed, u64::from(self.number), day * 100 + turn, 904).bits()
    }

    fn luck(&self, day: u32, purpose: u16) -> Stream {
        Stream::new(self.seed, u64::from(self.number), day, purpose)
    }
}

const DISTRESS: [&str; 2] = [
    "My boss shouted at me again and I feel awful. I am so anxious about work.",
    "I feel hopeless and I can't stop crying.",
];

/// About dough, shelves and bicycles, so that nobody can take a line for somebody's life.
const TOPICS: [&str; 8] = [
    "The dough has been resting for an hour and it still looks flat to me.",
    "I put up the second shelf by the window and it leans to the left a bit.",
    "The bicycle chain makes a noise on the way up to the old mill.",
    "I sanded the edge of the board and then the rain came in again.",
    "The tomato plant grows toward the light and away from the wall.",
    "I wrote the list for the weekend and forgot the lamp in the cellar.",
    "The piano piece goes well until the third line, and then it does not.",
    "We walked along the garden path and counted the snails there.",
];
