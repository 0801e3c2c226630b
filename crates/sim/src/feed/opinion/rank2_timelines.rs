//! [`rank2`](super::rank2) as a world to choose: readers with one of its four timelines, a new one
//! every step. Nobody moves in it: it says what a ranking shows, not what that does to people.

use super::purpose;
use super::rank2::{FEATURES, LENIENCY, candidates, timelines};
use super::world::{Arm, Running, Setting, Shown, Slot, Tell, Visit, World};
use crate::draw::Draws;
use crate::feed::sums::Moments;

const TIMELINES: [&str; 4] = ["newest", "engagement", "stated", "stated_calm"];
const NAMES: [&str; FEATURES] = [
    "animosity",
    "author_angry",
    "partisan",
    "in_group",
    "out_group",
];

/// Readers with one timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    /// In time order, by engagement, by stated preference, the same with ties against animosity.
    timeline: usize,
}

impl Default for Timeline {
    fn default() -> Self {
        Timeline { timeline: 1 }
    }
}

impl World for Timeline {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        let now = self.timeline;
        let mut set = |i: usize| self.timeline = i;
        visit("timeline", Slot::Choice(&TIMELINES, now, &mut set));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        let draws = Draws::new(setting.seed);
        let leniency = (0..setting.people as u64)
            .map(|i| LENIENCY * draws.sequence(i, 0, purpose::RANK2).normal())
            .collect();
        Box::new(Life {
            timeline: self.timeline,
            draws,
            leniency,
            features: [Moments::default(); FEATURES],
            value: Moments::default(),
        })
    }

    fn arms(&self) -> Vec<Arm> {
        vec![
            Arm::new("as it is", *self),
            Arm::natural("in order of time", Timeline { timeline: 0 }),
            Arm::new("by engagement", Timeline { timeline: 1 }),
            Arm::new("by stated preference", Timeline { timeline: 2 }),
            Arm::new("ties against animosity", Timeline { timeline: 3 }),
        ]
    }

    fn common_items(&self) -> bool {
        false
    }

    fn scale(&self) -> [f64; 2] {
        [-3.0, 3.0]
    }

    fn item(&self, item: usize) -> String {
        format!("post-{item}")
    }
}

struct Life {
    timeline: usize,
    draws: Draws,
    leniency: Vec<f64>,
    /// Of political posts.
    features: [Moments; FEATURES],
    value: Moments,
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        for (i, leniency) in self.leniency.iter().enumerate() {
            let mut luck = self.draws.sequence(i as u64, t + 1, purpose::RANK2);
            let posts = candidates(&mut luck, *leniency);
            let shown = timelines(&posts)
                .into_iter()
                .nth(self.timeline)
                .unwrap_or_default();
            for (number, post) in shown.into_iter().filter_map(|n| Some((n, posts.get(n)?))) {
                if post.political {
                    let is = post.is.map(|is| if is { 1.0 } else { 0.0 });
                    self.features.iter_mut().zip(is).for_each(|(m, x)| m.add(x));
                    self.value.add(post.value);
                }
                tell(Shown {
                    reaction: Some(post.engagement),
                    value: Some(post.value),
                    ..Shown::new(i, t as usize * posts.len() + number)
                });
            }
        }
    }

    /// How leniently a reader judges what they see.
    fn state(&self) -> Vec<f64> {
        self.leniency.clone()
    }

    fn more(&self) -> Vec<(&'static str, f64)> {
        let all = NAMES
            .into_iter()
            .zip(&self.features)
            .chain([("political_value", &self.value)]);
        all.filter(|(_, m)| m.count() > 0)
            .map(|(n, m)| (n, m.mean()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::numbers::{Size, run};
    use crate::feed::opinion::rank2;

    /// The same shares as the audit's one timeline per reader.
    #[test]
    fn timelines_have_the_shares_of_the_audit() {
        let size = Size {
            people: 2000,
            steps: 2,
            replicates: 1,
            network: None,
            friends: 0.0,
        };
        let courses = run(&Timeline::default(), &size, 1, &|| {}).unwrap();
        let audit = rank2::run(8000, 1);
        for (timeline, course) in courses[1..].iter().enumerate() {
            let last = course.looks.last().unwrap();
            for (name, shares) in NAMES.iter().zip(&audit.share) {
                let got = last.get(name).unwrap().mean;
                assert!(
                    (got - shares[timeline]).abs() < 0.03,
                    "{} {name} {got}",
                    course.arm
                );
            }
            assert_eq!(last.get("from_start").unwrap().mean, 0.0);
        }
        let engagement = courses[2].looks.last().unwrap();
        let newest = courses[1].looks.last().unwrap();
        let shown = |l: &crate::feed::opinion::numbers::Look| l.get("animosity").unwrap().mean;
        assert!(shown(engagement) > shown(newest));
    }
}
