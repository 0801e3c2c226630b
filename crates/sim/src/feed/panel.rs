//! A few people of a population as the common record: every content shown, with the probability it
//! was shown with, and every reaction. There is no text: nothing is said in a feed.

use std::sync::Arc;

use driftlead_record::{
    Conversation, Event, Format, Kind, MICROS, Role, SystemSource, Time, TimeQuality,
};

use super::life::{Arm, Shown, live_and_tell};

/// Monday, 6 January 2025, 18:00 UTC, in seconds: the first day's first place.
const START: i64 = 1_736_186_400;
const DAY: i64 = 86_400;
/// Seconds between two places, unless that would make a day longer than [`EVENING`].
const PLACE: i64 = 60;
/// Longest day in seconds.
const EVENING: i64 = 21_600;

/// How a panel is told.
#[derive(Debug, Clone)]
pub struct Panel {
    person: Arc<str>,
    deployment: Arc<str>,
    source: Arc<str>,
    system: Arc<str>,
    policy: Arc<str>,
    items: Vec<Arc<str>>,
    /// Microseconds between two places.
    place: i64,
}

/// Everything that person `number` was shown: one conversation per day with something shown.
pub fn conversations(arm: &Arm, seed: u64, number: u64) -> Vec<Conversation> {
    let items = arm.world.people.contents.iter().map(|c| c.name.as_str());
    let panel = Panel::new(&arm.name, items, arm.world.day_steps);
    let mut days = Days::new(panel, number);
    live_and_tell(arm, seed, number, &mut |shown| days.add(&shown));
    days.all
}

impl Panel {
    /// A panel of items by name, shown under a policy at so many places of a day.
    pub fn new<'a>(policy: &str, items: impl Iterator<Item = &'a str>, day_places: u32) -> Self {
        let spacing = EVENING * MICROS / i64::from(day_places.max(1));
        Panel {
            person: "".into(),
            deployment: "simulated feed".into(),
            source: "simulated".into(),
            system: "feed-1".into(),
            policy: policy.into(),
            items: items.map(Into::into).collect(),
            place: spacing.min(PLACE * MICROS),
        }
    }
}

/// The days of one person.
#[derive(Debug)]
pub struct Days {
    panel: Panel,
    number: u64,
    today: Option<u32>,
    /// One conversation per day with something shown.
    pub all: Vec<Conversation>,
}

impl Days {
    /// Of a person to whom nothing was shown yet.
    pub fn new(mut panel: Panel, number: u64) -> Self {
        panel.person = format!("simulated-{number}").into();
        Days {
            panel,
            number,
            today: None,
            all: Vec::new(),
        }
    }

    /// Adds what was shown, in order of time.
    pub fn add(&mut self, shown: &Shown) {
        if self.today != Some(shown.day) {
            self.today = Some(shown.day);
            self.all
                .push(self.panel.conversation(self.number, shown.day));
        }
        if let Some(day) = self.all.last_mut() {
            self.panel.add(&mut day.events, self.number, shown);
        }
    }
}

impl Panel {
    fn conversation(&self, number: u64, day: u32) -> Conversation {
        Conversation {
            deployment: self.deployment.clone(),
            person: Some(self.person.clone()),
            id: format!("{number}-{day}").into(),
            source: self.source.clone(),
            format: Format::Driftlead,
            events: Vec::new(),
        }
    }

    fn add(&self, events: &mut Vec<Event>, number: u64, shown: &Shown) {
        let clock =
            (START + i64::from(shown.day) * DAY) * MICROS + i64::from(shown.place) * self.place;
        let event = |role, kind, micros: i64, events: &[Event]| Event {
            id: format!("{number}-{}-{}", shown.day, events.len()).into(),
            parent: events.last().map(|e| e.id.clone()),
            time: Some(Time {
                micros,
                offset_seconds: Some(0),
                quality: TimeQuality::Exact,
            }),
            role,
            kind,
            text: None,
            item: self.items.get(shown.content).cloned(),
            reaction: None,
            system: Some(self.system.clone()),
            system_source: SystemSource::Message,
            policy: Some(self.policy.clone()),
            propensity: None,
            position: events.len() as u64,
        };
        let impression = Event {
            propensity: Some(shown.propensity),
            ..event(Role::System, Kind::Impression, clock, events)
        };
        events.push(impression);
        let reaction = Event {
            reaction: Some(shown.reaction),
            ..event(Role::Person, Kind::Reaction, clock + self.place / 3, events)
        };
        events.push(reaction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::life::live;
    use crate::feed::life::tests::{arm, world};

    #[test]
    fn a_panel_is_what_the_person_lived_through() {
        let mut world = world();
        world.levers.pause_after = 6;
        let arm = arm(world);
        let days = conversations(&arm, 1, 3);
        assert_eq!(days.len(), 36, "every seventh of 42 days is a pause");
        assert!(days.iter().all(|d| d.events.len() == 20));
        let (mut sum, mut n) = (0.0, 0.0);
        for day in &days[30..] {
            for event in &day.events {
                match event.kind {
                    Kind::Impression => assert!(event.propensity.unwrap() > 0.0),
                    _ => {
                        sum += event.reaction.unwrap();
                        n += 1.0;
                    }
                }
            }
        }
        let week = live(&arm, 1, 3).weeks[5];
        // The week has 70 places; a tenth of them, the seventh day, had nothing.
        assert!((sum / 70.0 - week.reaction).abs() < 1e-9 && n == 60.0);
        let ids: std::collections::HashSet<_> = (days.iter())
            .flat_map(|d| d.events.iter().map(|e| e.id.clone()))
            .collect();
        assert_eq!(ids.len(), 36 * 20);
    }
}
