//! Two channels of ranking: what people engage with and what they say they want, as in the audit of
//! Milli and others (PNAS Nexus 2025), whose four timelines are in time order, by engagement, by
//! stated preference (ties by engagement), and by stated preference with ties broken against out-group
//! animosity.
//!
//! A reader has candidates, the newest [`SHOWN`] in time order; the engagement timeline is the
//! [`SHOWN`] with the highest predicted engagement, and the other two order the union of both. A
//! political post has five features that are normal scores above a threshold, correlated with
//! engagement e, with the reader's value v, and with each other through hostility h. The thresholds
//! are the shares in time order; the loadings (`POLITICAL`) were **fitted** by coordinate search to
//! the 24 published shares of political posts and the signs of the engagement effects. So the shares
//! check the fit and are no prediction; the effects of the two stated-preference timelines were not
//! fitted. Two of the fitted values were rounded by hand afterwards (those with two digits, .9 and .15,
//! look it; which two is not on record), so that running the search again would not give exactly these.
//!
//! Effects in SDs are changes of readers' means over the SD of readers' means in time order. The
//! published effects are not that of the published shares: those of an angry author imply SDs of .13,
//! .10 and .25 on the three timelines. `reproduce_feed` prints this beside the rows that fail.

use rayon::prelude::*;

use super::purpose;
use crate::draw::Draws;
use crate::draw::quantile;
use crate::feed::sums::Moments;

/// Candidates of a reader.
const CANDIDATES: usize = 40;
/// Posts of a timeline.
pub const SHOWN: usize = 10;
/// Share of political posts: a choice.
const POLITICAL_SHARE: f64 = 0.3;

/// Features of a political post: out-group animosity, angry author, partisan, about the in-group,
/// about the out-group.
pub(super) const FEATURES: usize = 5;
const ANIMOSITY: usize = 0;
const ANGRY: usize = 1;
const PARTISAN: usize = 2;
const IN_GROUP: usize = 3;
const OUT_GROUP: usize = 4;
/// Shares in time order, which set the thresholds (published).
const SHARE: [f64; FEATURES] = [0.369, 0.522, 0.713, 0.473, 0.116];
/// Fitted loadings of the features on e, v and h.
const POLITICAL: [[f64; 3]; FEATURES] = [
    [0.1288, -0.2124, 0.9000],
    [0.1675, -0.2131, 0.5195],
    [0.2063, -0.5550, 0.7741],
    [0.0600, 0.0608, 0.4732],
    [0.3242, -0.6051, -0.4524],
];
/// Fitted correlation of value and engagement, of political posts and of the others.
const VALUE_BY_ENGAGEMENT: [f64; 2] = [-0.1811, 0.15];
/// Fitted: value 1 above this score, −1 below it by the second number.
const VALUE_EDGES: [f64; 2] = [-0.3830, 0.8137];
/// Fitted SD of readers' leniency, and how much more other posts are valued.
pub(super) const LENIENCY: f64 = 0.7038;
const OTHERS_VALUED: f64 = 0.1041;
/// Other posts: loading of an angry author on engagement, and its threshold. Choices.
const OTHER_ANGRY: [f64; 2] = [0.25, 1.0];

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Post {
    pub(super) political: bool,
    pub(super) is: [bool; FEATURES],
    angry: bool,
    pub(super) value: f64,
    pub(super) engagement: f64,
}

/// Measures of one timeline of one reader, in the order of [`Effects`].
const MEASURES: usize = 10;
/// Those that are of political posts only.
const OF_POLITICAL: [bool; MEASURES] = [
    false, true, false, true, false, false, false, false, false, true,
];

/// Changes of readers' means against time order, in SDs of readers' means in time order: angry author
/// (all, political), angry reader (all, political), partisan, out-group animosity, perception of the
/// out-group, of the in-group, reader's preference (all, political).
pub type Effects = [f64; MEASURES];

/// The four timelines: time order, engagement, stated preference, the same against animosity.
#[derive(Debug, Clone, PartialEq)]
pub struct Timelines {
    /// Shares among political posts, by feature and timeline: animosity, angry author, partisan,
    /// in-group, out-group.
    pub share: [[f64; 4]; FEATURES],
    /// Mean value of political posts to their readers, −1 to 1.
    pub value: [f64; 4],
    /// Effects of the last three timelines.
    pub effects: [Effects; 3],
}

#[derive(Clone, Default)]
struct Sums {
    features: [[Moments; 4]; FEATURES],
    value: [Moments; 4],
    measures: [[Moments; MEASURES]; 4],
}

/// Runs it for many readers.
pub fn run(readers: u64, seed: u64) -> Timelines {
    let draws = Draws::new(seed);
    let thresholds = SHARE.map(|p| quantile::normal(1.0 - p));
    let sums = (0..readers)
        .into_par_iter()
        .fold(Sums::default, |mut sums, reader| {
            sums.reader(&draws, reader, &thresholds);
            sums
        })
        .reduce(Sums::default, Sums::merged);
    let effect = |timeline: usize, i: usize| {
        let before = &sums.measures[0][i];
        (sums.measures[timeline][i].mean() - before.mean()) / before.variance().sqrt()
    };
    Timelines {
        share: sums.features.map(|f| f.map(|m| m.mean())),
        value: sums.value.map(|m| m.mean()),
        effects: [1, 2, 3].map(|t| std::array::from_fn(|i| effect(t, i))),
    }
}

impl Sums {
    fn reader(&mut self, draws: &Draws, reader: u64, thresholds: &[f64; FEATURES]) {
        let mut luck = draws.sequence(reader, 0, purpose::RANK2);
        let leniency = LENIENCY * luck.normal();
        let posts: Vec<Post> = (0..CANDIDATES)
            .map(|_| post(&mut luck, leniency, thresholds))
            .collect();
        for (timeline, shown) in timelines(&posts).into_iter().enumerate() {
            self.timeline(timeline, shown.iter().filter_map(|i| posts.get(*i)));
        }
    }

    fn timeline<'a>(&mut self, timeline: usize, shown: impl Iterator<Item = &'a Post>) {
        let one = |is: bool| if is { 1.0 } else { 0.0 };
        let (mut all, mut political) = ([0.0; MEASURES], 0.0);
        for post in shown {
            let (angry, hostile) = (one(post.angry), one(post.is[ANIMOSITY]));
            // A reader is angered by an angry author and by animosity alike: a choice.
            let angered = 0.5 * (angry + hostile);
            let measures = [
                angry,
                angry,
                angered,
                angered,
                one(post.is[PARTISAN]),
                hostile,
                -hostile,
                one(post.is[IN_GROUP]),
                post.value,
                post.value,
            ];
            for ((sum, x), of_political) in all.iter_mut().zip(measures).zip(OF_POLITICAL) {
                if post.political || !of_political {
                    *sum += x;
                }
            }
            if post.political {
                political += 1.0;
                for (f, is) in self.features.iter_mut().zip(post.is) {
                    f[timeline].add(one(is));
                }
                self.value[timeline].add(post.value);
            }
        }
        let sums = self.measures[timeline].iter_mut();
        for ((m, sum), of_political) in sums.zip(all).zip(OF_POLITICAL) {
            let n = if of_political {
                political
            } else {
                SHOWN as f64
            };
            if n > 0.0 {
                m.add(sum / n);
            }
        }
    }

    fn merged(mut self, other: Sums) -> Sums {
        let pairs = self
            .features
            .iter_mut()
            .flatten()
            .zip(other.features.iter().flatten());
        pairs.for_each(|(a, b)| a.merge(b));
        let pairs = self.value.iter_mut().zip(&other.value);
        pairs.for_each(|(a, b)| a.merge(b));
        let pairs = self
            .measures
            .iter_mut()
            .flatten()
            .zip(other.measures.iter().flatten());
        pairs.for_each(|(a, b)| a.merge(b));
        self
    }
}

/// A reader's candidates.
pub(super) fn candidates(luck: &mut crate::draw::Sequence, leniency: f64) -> Vec<Post> {
    let thresholds = SHARE.map(|p| quantile::normal(1.0 - p));
    (0..CANDIDATES)
        .map(|_| post(luck, leniency, &thresholds))
        .collect()
}

fn post(luck: &mut crate::draw::Sequence, leniency: f64, thresholds: &[f64; FEATURES]) -> Post {
    let political = luck.chance(POLITICAL_SHARE);
    let (e, own, h) = (luck.normal(), luck.normal(), luck.normal());
    let noise: [f64; FEATURES] = std::array::from_fn(|_| luck.normal());
    let r = VALUE_BY_ENGAGEMENT[usize::from(!political)];
    let v = r * e + (1.0 - r * r).sqrt() * own;
    let valued = leniency + v + if political { 0.0 } else { OTHERS_VALUED };
    let value = if valued > VALUE_EDGES[0] {
        1.0
    } else if valued > VALUE_EDGES[0] - VALUE_EDGES[1] {
        0.0
    } else {
        -1.0
    };
    let mut is = [false; FEATURES];
    if political {
        for (j, [by_e, by_v, by_h]) in POLITICAL.into_iter().enumerate() {
            let variance = by_e * by_e + by_v * by_v + by_h * by_h + 2.0 * by_e * by_v * r;
            let rest = (1.0 - variance).max(0.0).sqrt();
            let score = by_e * e + by_v * v + by_h * h + rest * noise[j];
            is[j] = score / (variance + rest * rest).sqrt() > thresholds[j];
        }
        is[OUT_GROUP] &= !is[IN_GROUP];
    }
    let [by_e, edge] = OTHER_ANGRY;
    let other_angry = by_e * e + (1.0 - by_e * by_e).sqrt() * noise[ANGRY] > edge;
    Post {
        political,
        angry: if political { is[ANGRY] } else { other_angry },
        is,
        value,
        engagement: e,
    }
}

/// Numbers of the posts of each timeline.
pub(super) fn timelines(posts: &[Post]) -> [Vec<usize>; 4] {
    let newest: Vec<usize> = (0..SHOWN.min(posts.len())).collect();
    let by_engagement =
        |a: &usize, b: &usize| posts[*b].engagement.total_cmp(&posts[*a].engagement);
    let by_value = |a: &usize, b: &usize| posts[*b].value.total_cmp(&posts[*a].value);
    let hostile = |i: &usize| posts[*i].is[ANIMOSITY];
    let mut engagement: Vec<usize> = (0..posts.len()).collect();
    engagement.sort_by(by_engagement);
    engagement.truncate(SHOWN);
    let mut both = newest.clone();
    both.extend(engagement.iter().filter(|i| !newest.contains(i)));
    let mut stated = both.clone();
    stated.sort_by(|a, b| by_value(a, b).then(by_engagement(a, b)));
    stated.truncate(SHOWN);
    let mut calm = both;
    calm.sort_by(|a, b| {
        let tie = hostile(a).cmp(&hostile(b));
        by_value(a, b).then(tie).then(by_engagement(a, b))
    });
    calm.truncate(SHOWN);
    [newest, engagement, stated, calm]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_timeline_is_ordered_by_what_it_says() {
        let post = |engagement: f64, value: f64, hostile: bool| Post {
            political: true,
            is: [hostile, false, false, false, false],
            angry: false,
            value,
            engagement,
        };
        // Twelve posts; the newest ten are of low engagement and no value.
        let mut posts = vec![post(-1.0, 0.0, false); 10];
        posts.push(post(2.0, 1.0, true));
        posts.push(post(1.0, 1.0, false));
        let [newest, engagement, stated, calm] = timelines(&posts);
        assert_eq!(newest, (0..10).collect::<Vec<_>>());
        assert_eq!(engagement[..2], [10, 11]);
        assert_eq!(stated[..2], [10, 11]);
        assert_eq!(calm[..2], [11, 10]);
    }

    #[test]
    fn time_order_has_the_shares_that_it_was_given() {
        let t = run(4000, 1);
        for feature in [ANIMOSITY, ANGRY, PARTISAN, IN_GROUP] {
            assert!(
                (t.share[feature][0] - SHARE[feature]).abs() < 0.015,
                "{t:?}"
            );
        }
        assert!(t.share[ANIMOSITY][3] < t.share[ANIMOSITY][2], "{t:?}");
        assert_eq!(t, run(4000, 1));
    }
}
