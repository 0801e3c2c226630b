//! All conversations of one person with one deployment, into weekly series.

use std::collections::BTreeMap;
use std::sync::Arc;

use driftlead_record::Week;

use crate::count::{Count, WeekCounts};
use crate::metric::METRICS;
use crate::metric::after_complaint::{self, Complaint};
use crate::metric::after_goodbye;
use crate::metric::cadence;
use crate::metric::same_problem::{self, Distress};
use crate::metric::voice_distance::{self, PhraseSample, WeekSample};
use crate::pasted;
use crate::scan::Scan;
use crate::series::{Abstain, Series};
use crate::session::{Sessions, Stamp};

/// What one person's record holds so far. The result does not depend on the order of
/// [`Person::absorb`].
///
/// ```
/// use driftlead_metrics::{Person, scan};
/// # let conversations: Vec<driftlead_record::Conversation> = Vec::new();
/// let mut person = Person::default();
/// for conversation in &conversations {
///     person.absorb(scan(conversation));
/// }
/// let series = person.finish();
/// # assert!(series.iter().all(|s| s.points.is_empty()));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Person {
    conversations: u64,
    messages: u64,
    untimed: u64,
    weeks: BTreeMap<Week, WeekCounts>,
    systems: BTreeMap<(Week, Arc<str>), u32>,
    stamps: Vec<Stamp>,
    undated: BTreeMap<Week, u32>,
    last: Option<i64>,
    complaints: Vec<Complaint>,
    distress: Vec<Distress>,
    wording: BTreeMap<Week, WeekSample>,
    system_wording: BTreeMap<Week, WeekSample>,
    said: PhraseSample,
    heard: PhraseSample,
}

/// One week with messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeekActivity {
    /// Week.
    pub week: Week,
    /// Messages of the person.
    pub person_messages: u32,
    /// Messages of the system.
    pub system_messages: u32,
    /// System version that wrote most of the system's messages, where recorded; of equals the first
    /// by name.
    pub system: Option<Arc<str>>,
}

/// What a record covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Weeks with messages, in order.
    pub weeks: Vec<WeekActivity>,
    /// Conversations absorbed.
    pub conversations: u64,
    /// Main-path messages of the person and the system.
    pub messages: u64,
    /// Of these, messages without a trustworthy time; they are used for nothing over time.
    pub untimed_messages: u64,
}

impl Person {
    /// Adds one conversation.
    pub fn absorb(&mut self, scan: Scan) {
        self.conversations += 1;
        self.messages += scan.messages;
        self.untimed += scan.untimed;
        for (week, counts) in &scan.weeks {
            self.weeks.entry(*week).or_default().merge(counts);
        }
        for (key, n) in scan.systems {
            *self.systems.entry(key).or_default() += n;
        }
        for (week, n) in scan.undated {
            *self.undated.entry(week).or_default() += n;
        }
        self.stamps.extend(scan.stamps);
        self.last = self.last.max(scan.last);
        self.complaints.extend(scan.complaints);
        self.distress.extend(scan.distress);
        for (week, sample) in scan.wording {
            self.wording.entry(week).or_default().merge(sample);
        }
        for (week, sample) in scan.system_wording {
            self.system_wording.entry(week).or_default().merge(sample);
        }
        self.said.merge(&scan.said);
        self.heard.merge(&scan.heard);
    }

    /// Every series, in a fixed order. A week with messages of the side that is counted has a point
    /// or a reason; a record without any trustworthy time counts as one week without.
    pub fn finish(&self) -> Vec<Series> {
        let weeks = pasted::in_own_language(&self.weeks);
        let sessions = Sessions::new(&self.stamps);
        let mut all = cadence::series(&sessions, &self.undated);
        for metric in METRICS {
            all.extend(
                metric
                    .series
                    .iter()
                    .map(|ratio| ratio.series(metric, &weeks)),
            );
        }
        all.extend(after_goodbye::after(&sessions, &weeks));
        all.push(after_complaint::repeated(
            &self.complaints,
            self.last,
            &weeks,
        ));
        let episodes = same_problem::episodes(&sessions, &self.distress);
        all.extend(same_problem::series(&episodes, &weeks));
        all.extend(voice_distance::distance(
            &self.wording,
            &self.system_wording,
            &weeks,
        ));
        all.push(voice_distance::uptake(&self.said, &self.heard, &weeks));
        if self.weeks.is_empty() && self.untimed > 0 {
            for series in &mut all {
                series.abstained.insert(Abstain::TimeQuality, 1);
            }
        }
        all
    }

    /// What the record covers.
    pub fn activity(&self) -> Activity {
        Activity {
            weeks: self
                .weeks
                .iter()
                .map(|(&week, counts)| self.week(week, counts))
                .collect(),
            conversations: self.conversations,
            messages: self.messages,
            untimed_messages: self.untimed,
        }
    }

    fn week(&self, week: Week, counts: &WeekCounts) -> WeekActivity {
        let none: Arc<str> = Arc::from("");
        let systems = self
            .systems
            .range((week, Arc::clone(&none))..(Week(week.0.saturating_add(1)), none));
        let most = systems.max_by(|(a, m), (b, n)| m.cmp(n).then_with(|| b.cmp(a)));
        WeekActivity {
            week,
            person_messages: counts.get(Count::PersonMessages),
            system_messages: counts.get(Count::SystemMessages),
            system: most.map(|((_, system), _)| Arc::clone(system)),
        }
    }
}
