//! From the gateway's own record to the effect of pauses. The record is read as any other record is; the
//! probabilities are those that were logged when the pauses were drawn.

use std::collections::BTreeMap;
use std::path::Path;

use driftlead_record::{Conversation, Kind, MICROS, Options, Role, read};
use driftlead_stats::causal::{Correction, EffectSequence, Estimate, PersonalMean, Trial, wcls};
use driftlead_stats::cs::Interval;

use crate::month::{FIRST_DAY, Lived, Month};

/// Errors of both sides together.
pub(crate) const ALPHA: f64 = 0.05;
/// Tuning of the sequence, fixed before any data: about 1,000 decisions, a variance of 0.2 of the outcome
/// around what is expected, a probability of 1/2.
const INTRINSIC: f64 = 800.0;

/// One decision, and what came after it.
#[derive(Debug, Clone, Copy)]
struct Decision {
    person: u32,
    day: u32,
    paused: bool,
    probability: f64,
    /// The day before: whether they came. No pause of today can change that.
    came_before: f64,
    /// The day after: whether they came, and how many messages they wrote.
    comes: f64,
    messages: f64,
    truth: crate::people::Truth,
}

/// An estimate beside what it should be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effect {
    pub(crate) estimate: f64,
    pub(crate) interval: Interval,
    pub(crate) truth: f64,
}

impl Effect {
    pub(crate) fn covers(&self) -> bool {
        self.interval.contains(self.truth)
    }

    fn of(fit: &Estimate, truth: f64) -> Result<Self, String> {
        Ok(Effect {
            estimate: fit.value,
            interval: fit.interval(ALPHA).map_err(|e| e.to_string())?,
            truth,
        })
    }
}

/// Everything that is estimated from one month.
#[derive(Debug)]
pub(crate) struct Estimates {
    pub(crate) people: usize,
    pub(crate) decisions: usize,
    pub(crate) paused: usize,
    /// Pauses of the record that the people's own entries of the log confirm: drawn, probability and all.
    pub(crate) confirmed: usize,
    pub(crate) drawn: usize,
    pub(crate) comes: Effect,
    pub(crate) comes_anytime: Effect,
    /// Whether the sequence held the mean truth at every look, one after each decision.
    pub(crate) always: bool,
    pub(crate) messages: Effect,
    pub(crate) came_before: Effect,
}

/// Reads the record of a month and estimates.
pub(crate) fn estimate(data: &Path, month: &Month, lived: &Lived) -> Result<Estimates, String> {
    let mut record: Vec<Conversation> = Vec::new();
    read(&[data.join("record")], &Options::default(), &mut record).map_err(|e| e.to_string())?;
    let mut drawn = Vec::new();
    let mut messages: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    let numbers = pseudonyms(lived);
    for conversation in &record {
        let number = conversation.person.as_deref().and_then(|p| numbers.get(p));
        let person = *number.ok_or("the record has a person whom nobody is")?;
        for event in &conversation.events {
            let time = event.time.ok_or("a row without a time")?;
            let day = u32::try_from(time.day() - FIRST_DAY).map_err(|e| e.to_string())?;
            match (event.kind, event.role) {
                (Kind::Message, Role::Person) => *messages.entry((person, day)).or_default() += 1.0,
                (Kind::Pause, _) => {
                    let chosen = event.propensity.ok_or("a pause without its propensity")?;
                    let paused = event.item.as_deref() == Some("ordinary");
                    let probability = if paused { chosen } else { 1.0 - chosen };
                    drawn.push((person, day, paused, probability));
                }
                _ => {}
            }
        }
    }
    drawn.sort_by_key(|(person, day, ..)| (*person, *day));
    let confirmed = confirmed(&drawn, lived);
    let written = |person, day| messages.get(&(person, day)).copied().unwrap_or(0.0);
    let came = |person, day| f64::from(u8::from(written(person, day) > 0.0));
    let mut decisions = Vec::new();
    for &(person, day, paused, probability) in &drawn {
        // What came after is known only while the person keeps their record, and within the month.
        let ends = ended(lived, person).unwrap_or(month.days).min(month.days);
        if day == 0 || day + 1 >= ends {
            continue;
        }
        decisions.push(Decision {
            person,
            day,
            paused,
            probability,
            came_before: came(person, day - 1),
            comes: came(person, day + 1),
            messages: written(person, day + 1),
            truth: *lived
                .truths
                .get(&(person, day))
                .ok_or("a decision that nobody made")?,
        });
    }
    effects(&decisions, drawn.len(), confirmed)
}

fn effects(decisions: &[Decision], drawn: usize, confirmed: usize) -> Result<Estimates, String> {
    let mean = |of: &dyn Fn(&Decision) -> f64| {
        decisions.iter().map(of).sum::<f64>() / decisions.len().max(1) as f64
    };
    let before: Vec<f64> = decisions.iter().map(|d| d.came_before).collect();
    let comes: Vec<f64> = decisions.iter().map(|d| d.comes).collect();
    let messages: Vec<f64> = decisions.iter().map(|d| d.messages).collect();
    let (fit, people) = weighted(decisions, &comes, &[&before])?;
    let (more, _) = weighted(decisions, &messages, &[&before])?;
    let (placebo, _) = weighted(decisions, &before, &[])?;
    let (comes_anytime, always) = sequence(decisions)?;
    Ok(Estimates {
        people,
        decisions: decisions.len(),
        paused: decisions.iter().filter(|d| d.paused).count(),
        confirmed,
        drawn,
        comes: Effect::of(&fit, mean(&|d| d.truth.comes))?,
        comes_anytime,
        always,
        messages: Effect::of(&more, mean(&|d| d.truth.messages))?,
        came_before: Effect::of(&placebo, 0.0)?,
    })
}

/// The marginal effect by weighted and centred least squares, and the number of people in it.
fn weighted(
    decisions: &[Decision],
    outcome: &[f64],
    controls: &[&[f64]],
) -> Result<(Estimate, usize), String> {
    let person: Vec<u32> = decisions.iter().map(|d| d.person).collect();
    let treated: Vec<bool> = decisions.iter().map(|d| d.paused).collect();
    let probability: Vec<f64> = decisions.iter().map(|d| d.probability).collect();
    let fit = wcls(
        &Trial {
            person: &person,
            available: &vec![true; decisions.len()],
            treated: &treated,
            probability: &probability,
            outcome,
            controls,
            moderators: &[],
        },
        0.5,
        Correction::Always,
    )
    .map_err(|e| e.to_string())?;
    Ok((fit.effect(&[]).map_err(|e| e.to_string())?, fit.people))
}

/// The anytime-valid sequence, in the order of time. Whether somebody comes the next day is known before
/// their next decision; how much they then write is not, so only the first can be followed in this way.
fn sequence(decisions: &[Decision]) -> Result<(Effect, bool), String> {
    let text = |error: driftlead_stats::StatsError| error.to_string();
    let mut in_time: Vec<&Decision> = decisions.iter().collect();
    in_time.sort_by_key(|d| (d.day, d.person));
    let mut sequence = EffectSequence::new(ALPHA, 0.5, INTRINSIC).map_err(text)?;
    let mut expected: BTreeMap<u32, PersonalMean> = BTreeMap::new();
    let (mut sum, mut always) = (0.0, true);
    for decision in in_time {
        let new = PersonalMean::new(0.15).map_err(text)?;
        let person = expected.entry(decision.person).or_insert(new);
        sequence
            .update(
                person,
                decision.paused,
                decision.probability,
                decision.comes,
            )
            .map_err(text)?;
        sum += decision.truth.comes;
        let interval = sequence.interval().map_err(text)?;
        always &= interval.contains(sum / sequence.decisions());
    }
    let effect = Effect {
        estimate: sequence.estimate(),
        interval: sequence.interval().map_err(text)?,
        truth: sum / sequence.decisions().max(1.0),
    };
    Ok((effect, always))
}

/// Whose pseudonym is whose: the people tell, the gateway does not.
fn pseudonyms(lived: &Lived) -> BTreeMap<&str, u32> {
    (0..)
        .zip(&lived.exports)
        .filter_map(|(number, export)| Some((export["summary"]["pseudonym"].as_str()?, number)))
        .collect()
}

/// Day on which a person ended the consent to keep their record, from their own export.
fn ended(lived: &Lived, person: u32) -> Option<u32> {
    let kept = &lived.exports.get(person as usize)?["kept"]["consents"]["latest"]["keep_state"];
    let seconds = kept["time"]
        .as_i64()
        .filter(|_| kept["state"] == "withdrawn")?;
    let day = seconds.saturating_mul(MICROS).div_euclid(86_400 * MICROS);
    u32::try_from(day - i64::from(FIRST_DAY)).ok()
}

/// How many pauses of the record are in the log too, in the entries that only the person can open, with the
/// same outcome and probability.
fn confirmed(drawn: &[(u32, u32, bool, f64)], lived: &Lived) -> usize {
    let mut logged: BTreeMap<(u32, u32), (bool, f64)> = BTreeMap::new();
    for (number, export) in (0..).zip(&lived.exports) {
        for entry in export["log"].as_array().into_iter().flatten() {
            let event = &entry["event"];
            let day = entry["time_micros"]
                .as_i64()
                .map(|at| at.div_euclid(86_400 * MICROS) - i64::from(FIRST_DAY))
                .and_then(|day| u32::try_from(day).ok());
            let probability = event["probability_of_pause"].as_f64();
            if let (Some(day), Some(p)) = (day, probability) {
                logged.insert((number, day), (event["action"] == "ordinary", p));
            }
        }
    }
    drawn
        .iter()
        .filter(|(person, day, paused, p)| logged.get(&(*person, *day)) == Some(&(*paused, *p)))
        .count()
}
