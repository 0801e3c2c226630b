//! A few people of a world as the common record: what they were shown, with the probability and the
//! reaction where the world has them. A step is a day with a conversation of its own.

use std::sync::Arc;

use driftlead_record::{
    Conversation, Event, Format, Kind, MICROS, Role, SystemSource, Time, TimeQuality,
};

use super::world::{Setting, Shown, World};

/// Monday, 6 January 2025, 18:00 UTC, in seconds.
const START: i64 = 1_736_186_400;
const DAY: i64 = 86_400;
/// Seconds between two things shown, and from one to the reaction.
const PLACE: i64 = 60;
const REACTS: i64 = 20;

/// Everything that the first `panel` people were shown, person by person.
pub fn conversations(
    key: &str,
    world: &dyn World,
    setting: &Setting,
    panel: usize,
) -> Vec<Conversation> {
    let panel = panel.min(setting.people);
    let mut people: Vec<Vec<(u32, Vec<Shown>)>> = vec![Vec::new(); panel];
    let mut running = world.start(setting);
    for t in 0..setting.steps {
        running.step(t, &mut |shown| {
            if let Some(days) = people.get_mut(shown.person) {
                match days.last_mut() {
                    Some((day, all)) if *day == t => all.push(shown),
                    _ => days.push((t, vec![shown])),
                }
            }
        });
    }
    let deployment: Arc<str> = format!("simulated {key}").into();
    let days = people
        .iter()
        .enumerate()
        .flat_map(|(u, days)| days.iter().map(move |d| (u, d)));
    days.map(|(person, (day, shown))| conversation(&deployment, world, person, *day, shown))
        .collect()
}

fn conversation(
    deployment: &Arc<str>,
    world: &dyn World,
    person: usize,
    day: u32,
    shown: &[Shown],
) -> Conversation {
    let mut events: Vec<Event> = Vec::new();
    let id = |n: usize| format!("{person}-{day}-{n}").into();
    for (place, s) in shown.iter().enumerate() {
        let clock = START + i64::from(day) * DAY + place as i64 * PLACE;
        let event = |role, kind, clock: i64, events: &[Event]| Event {
            id: id(events.len()),
            parent: events.last().map(|e| e.id.clone()),
            time: Some(Time {
                micros: clock * MICROS,
                offset_seconds: Some(0),
                quality: TimeQuality::Exact,
            }),
            role,
            kind,
            text: None,
            item: Some(world.item(s.item).into()),
            reaction: None,
            system: Some("feed-1".into()),
            system_source: SystemSource::Message,
            policy: Some("as it is".into()),
            propensity: None,
            position: events.len() as u64,
        };
        let impression = Event {
            propensity: s.propensity,
            ..event(Role::System, Kind::Impression, clock, &events)
        };
        events.push(impression);
        if s.reaction.is_some() {
            let reaction = Event {
                reaction: s.reaction,
                ..event(Role::Person, Kind::Reaction, clock + REACTS, &events)
            };
            events.push(reaction);
        }
    }
    Conversation {
        deployment: deployment.clone(),
        person: Some(format!("simulated-{person}").into()),
        id: format!("{person}-{day}").into(),
        source: "simulated".into(),
        format: Format::Driftlead,
        events,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::bellina_like::Bellina;
    use crate::feed::opinion::hazla_like::Hazla;

    #[test]
    fn a_panel_is_what_people_were_shown() {
        let setting = Setting {
            people: 10,
            steps: 5,
            seed: 1,
            graph: None,
            friends: 0.0,
        };
        let all = conversations("bellina_like", &Bellina::default(), &setting, 3);
        assert_eq!(all.len(), 15, "three people, five days");
        assert!(
            all.iter()
                .all(|c| c.events.len() == 1 && c.events[0].propensity.unwrap() > 0.0)
        );
        let hazla = conversations("hazla_like", &Hazla::default(), &setting, 99);
        assert_eq!(hazla.len(), 50);
        let second = &hazla[1].events;
        assert_eq!(second[1].kind, Kind::Reaction);
        assert!(second[1].reaction.is_some_and(|r| r.abs() <= 1.0));
        assert_eq!(second[0].item.as_deref(), Some("item-1"));
    }
}
