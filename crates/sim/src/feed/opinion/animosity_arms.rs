//! [`Animosity`] as a world to choose: people day by day, in the arms of the experiments.

use super::animosity::{Animosity, FeedArm, Reader};
use super::world::{Arm, Running, Setting, Slot, Tell, Visit, World, choice};
use crate::draw::Draws;
use crate::feed::sums::Moments;

/// The feed of the world as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnimosityFeed {
    /// Its constants.
    pub world: Animosity,
    /// What the feed does.
    pub feed: FeedArm,
}

impl Default for AnimosityFeed {
    fn default() -> Self {
        AnimosityFeed {
            world: Animosity::default(),
            feed: FeedArm::Ranked,
        }
    }
}

const FEEDS: [&str; 5] = [
    "ranked",
    "chronological",
    "less_like_minded",
    "less_animosity",
    "more_animosity",
];
/// The same feeds: a third of like-minded candidates cut; a tenth of, and 1.9 times, the animosity that
/// a person is used to, as in the ten days that the world's push was set on.
const ARMS: [FeedArm; 5] = [
    FeedArm::Ranked,
    FeedArm::Chronological,
    FeedArm::LessLikeMinded(1.0 / 3.0),
    FeedArm::Reranked(0.1),
    FeedArm::Reranked(1.9),
];

impl World for AnimosityFeed {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        choice(visit, "feed", &FEEDS, &ARMS, &mut self.feed);
        let w = &mut self.world;
        visit("push", Slot::Number(&mut w.push, 0.0, 1000.0));
        visit(
            "days_of_return",
            Slot::Number(&mut w.days_of_return, 1.0, 1e6),
        );
        visit("day_noise", Slot::Number(&mut w.day_noise, 0.0, 100.0));
        let [share, other] = &mut w.animosity;
        visit("animosity_of_friends", Slot::Number(share, 0.0, 1.0));
        visit("animosity_of_others", Slot::Number(other, 0.0, 1.0));
        visit("like_minded", Slot::Number(&mut w.like_minded, 0.0, 1.0));
        visit(
            "animosity_pull",
            Slot::Number(&mut w.animosity_pull, -10.0, 10.0),
        );
        visit(
            "like_minded_pull",
            Slot::Number(&mut w.like_minded_pull, -10.0, 10.0),
        );
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        let draws = Draws::new(setting.seed);
        let people = (0..setting.people as u64)
            .map(|i| self.world.born(&draws, i).0)
            .collect();
        Box::new(Life {
            at: *self,
            draws,
            people,
            sums: [Moments::default(); 4],
        })
    }

    fn arms(&self) -> Vec<Arm> {
        let with = |feed| AnimosityFeed { feed, ..*self };
        vec![
            Arm::new("as it is", *self),
            Arm::natural("ranked", with(ARMS[0])),
            Arm::new("in order of time", with(ARMS[1])),
            Arm::new("a third less like-minded", with(ARMS[2])),
            Arm::new("a tenth of animosity", with(ARMS[3])),
            Arm::new("1.9 times animosity", with(ARMS[4])),
        ]
    }

    fn scale(&self) -> [f64; 2] {
        [0.0, 100.0]
    }
}

struct Life {
    at: AnimosityFeed,
    draws: Draws,
    people: Vec<Reader>,
    /// Animosity, like-minded, reposts and favourites, use.
    sums: [Moments; 4],
}

impl Running for Life {
    /// A day. What is shown is known as shares only, so that nothing is told of single posts.
    fn step(&mut self, t: u32, _: &mut Tell<'_>) {
        for (i, person) in self.people.iter_mut().enumerate() {
            let d = self
                .at
                .world
                .live(self.at.feed, &self.draws, i as u64, t, person);
            let values = [d.animosity, d.like_minded, d.clicks, d.use_];
            self.sums.iter_mut().zip(values).for_each(|(m, x)| m.add(x));
        }
    }

    /// Warmth toward the other party, 0 to 100.
    fn state(&self) -> Vec<f64> {
        self.people.iter().map(|p| p.warmth).collect()
    }

    fn more(&self) -> Vec<(&'static str, f64)> {
        let names = ["animosity", "like_minded", "reposts", "use"];
        let all = names.into_iter().zip(&self.sums);
        all.filter(|(_, m)| m.count() > 0)
            .map(|(n, m)| (n, m.mean()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::numbers::{Size, run};

    /// Day by day or life by life, the same people come to the same warmth.
    #[test]
    fn days_are_the_days_of_the_whole_run() {
        let plain = Animosity {
            answer_sd: 0.0,
            ..Animosity::default()
        };
        let at = AnimosityFeed {
            world: plain,
            feed: FeedArm::Chronological,
        };
        let setting = Setting {
            people: 50,
            steps: 20,
            seed: 4,
            graph: None,
            friends: 0.0,
        };
        let mut life = at.start(&setting);
        (0..20).for_each(|t| life.step(t, &mut |_| {}));
        let mut want = Moments::default();
        life.state().iter().for_each(|x| want.add(*x));
        let outcome = plain.run(FeedArm::Chronological, 50, 20, 4);
        assert!((outcome.answer.mean() - want.mean()).abs() < 1e-9);
        assert!((outcome.exposure.mean() - life.more()[0].1).abs() < 1e-9);
    }

    #[test]
    fn without_push_the_feed_moves_nobody() {
        let still = Animosity {
            push: 0.0,
            ..Animosity::default()
        };
        let at = AnimosityFeed {
            world: still,
            ..AnimosityFeed::default()
        };
        let size = Size {
            people: 60,
            steps: 30,
            replicates: 2,
            network: None,
            friends: 0.0,
        };
        for course in run(&at, &size, 1, &|| {}).unwrap() {
            let last = course.looks.last().unwrap();
            assert_eq!(
                last.get("from_natural").unwrap().mean,
                0.0,
                "{}",
                course.arm
            );
        }
    }
}
