//! The only numbers about people that an operator gets: one mean over at least 100 of them, with noise,
//! from a budget that cannot be overspent.
//!
//! Each person who allows it contributes one number, once: the change of a count from the first half of
//! their kept conversations to the second, clipped to a range that is fixed here. There is no other way
//! out for a number of a person: nothing else in the gateway reads anybody's state but for themselves.

use bytes::Bytes;
use driftlead_stats::privacy::{Clip, Ledger, MIN_PEOPLE, private_mean};
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::inner::Inner;
use super::kept::Kept;
use crate::audit::Kind;
use crate::consent::Purpose;
use crate::govern::{LocalReply, OperatorRequest};

/// Name of the ledger in the store.
const LEDGER: &str = "ledger";

/// What can be asked for, and the largest change of it that counts: in hits per unit of the denominator.
const SERIES: [(&str, f64); 5] = [
    ("questions.per_reply", 2.0),
    ("praise_agree.share", 0.5),
    ("friend_like", 0.2),
    ("rather_than_people", 0.1),
    ("people_named", 0.05),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish<'a> {
    series: &'a str,
    epsilon: f64,
}

/// Answers `GET /cohort` (the budget) and `POST /cohort` (a release).
pub(super) async fn serve(inner: &Inner, request: &OperatorRequest) -> Option<LocalReply> {
    if request.path != "/cohort" {
        return None;
    }
    let _one = inner.releasing.lock().await;
    let Some((mut ledger, before)) = ledger(inner).await else {
        return Some(problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the ledger cannot be read",
        ));
    };
    if request.method == hyper::Method::GET {
        return Some(ok(&json!({
            "series": SERIES.map(|(name, _)| name),
            "epsilon_left": ledger.left(),
            "spent": ledger.spent(),
            "people_at_least": MIN_PEOPLE,
        })));
    }
    let Ok(wish) = serde_json::from_slice::<Wish<'_>>(&request.body) else {
        return Some(problem(
            StatusCode::BAD_REQUEST,
            "the body must be {\"series\": …, \"epsilon\": …}",
        ));
    };
    let Some((series, most)) = SERIES.into_iter().find(|(name, _)| *name == wish.series) else {
        return Some(problem(
            StatusCode::BAD_REQUEST,
            "this series is not released",
        ));
    };
    let asked = (series, most, wish.epsilon);
    let before = before.as_deref();
    Some(release(inner, asked, (&mut ledger, before), request).await)
}

async fn release(
    inner: &Inner,
    (series, most, epsilon): (&'static str, f64, f64),
    (ledger, before): (&mut Ledger, Option<&[u8]>),
    request: &OperatorRequest,
) -> LocalReply {
    let seconds = request.now_micros.div_euclid(driftlead_record::MICROS);
    let mut numbers = Vec::new();
    let seen = inner.store.everybody(|row| {
        if let Ok(kept) = Kept::read(&row.state) {
            numbers.extend(change(&kept, series, seconds));
        }
    });
    if seen.await.is_err() {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read");
    }
    if numbers.len() < MIN_PEOPLE {
        return problem(
            StatusCode::CONFLICT,
            "fewer than 100 people take part; nothing is released, and nothing was spent",
        );
    }
    let Ok(clip) = Clip::new(-most, most) else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "the range is empty");
    };
    let mean = match private_mean(series, &numbers, clip, epsilon, ledger) {
        Ok(mean) => mean,
        Err(error) => return problem(StatusCode::CONFLICT, &error.to_string()),
    };
    // Paid for before it is told: a crash in between costs the budget, never the people.
    let paid = match serde_json::to_vec(ledger) {
        Ok(after) => inner.store.swap_value(LEDGER, before, &after).await.ok(),
        Err(_) => None,
    };
    if paid == Some(false) {
        // The budget of which this took its part is not there any more.
        let what = "another gateway made a release at this moment; nothing is released here, and nothing \
                    was spent for it";
        return problem(StatusCode::CONFLICT, what);
    }
    let event = json!({ "series": series, "epsilon": epsilon, "people": mean.people });
    if paid.is_none() || inner.enter_own(Kind::Release, event).await.is_err() {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the release cannot be written down, so it is not made",
        );
    }
    ok(&json!({
        "series": series,
        "what": "mean change from the first half of each person's conversations to the second, in hits per \
                 unit counted over",
        "value": mean.value,
        "noise_scale": mean.noise_scale,
        "people": mean.people,
        "clipped_to": [-most, most],
        "epsilon": mean.epsilon,
        "epsilon_left": ledger.left(),
        "rung": "described",
    }))
}

/// One person's number, if they allow it and have conversations in both halves.
fn change(kept: &Kept, series: &str, seconds: i64) -> Option<f64> {
    let allowed = |purpose| kept.consents.allows(purpose, seconds);
    if !allowed(Purpose::ShareFeatures) || !allowed(Purpose::KeepState) {
        return None;
    }
    let counts: Vec<(u32, u32)> = kept
        .conversations
        .iter()
        .filter_map(|counted| counted.counts.get(series).copied())
        .collect();
    let (before, after) = counts.split_at(counts.len() / 2);
    let rate = |part: &[(u32, u32)]| {
        let sums = part.iter().fold((0.0, 0.0), |(n, d), (num, den)| {
            (n + f64::from(*num), d + f64::from(*den))
        });
        (sums.1 > 0.0).then(|| sums.0 / sums.1)
    };
    Some(rate(after)? - rate(before)?)
}

/// The ledger, and what it was read from: it is paid from only if that is still there.
async fn ledger(inner: &Inner) -> Option<(Ledger, Option<Vec<u8>>)> {
    let before = inner.store.value(LEDGER).await.ok()?;
    let ledger = match &before {
        Some(bytes) => serde_json::from_slice(bytes).ok()?,
        None => Ledger::new(inner.settings.epsilon).ok()?,
    };
    Some((ledger, before))
}

fn ok(value: &Value) -> LocalReply {
    LocalReply {
        status: StatusCode::OK,
        content_type: "application/json",
        body: Bytes::from(value.to_string()),
    }
}

fn problem(status: StatusCode, what: &str) -> LocalReply {
    let body =
        json!({ "error": { "message": what, "type": "cohort", "param": null, "code": null } });
    LocalReply {
        status,
        content_type: "application/json",
        body: Bytes::from(body.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Counted;
    use super::*;
    use crate::consent::{Change, Channel};

    #[test]
    fn a_person_counts_only_with_both_consents_and_once() {
        let mut kept = Kept::default();
        for (at, num) in [1, 1, 3, 3].into_iter().enumerate() {
            kept.add_conversation(Counted {
                day: at as i32,
                counts: [("questions.per_reply".to_owned(), (num, 2))].into(),
                policy: "p".into(),
                pause: None,
            });
        }
        let number = |kept: &Kept| change(kept, "questions.per_reply", 10);
        assert_eq!(number(&kept), None);
        for purpose in [Purpose::KeepState, Purpose::ShareFeatures] {
            let show = Change::Show {
                asked_for: true,
                language: "en".to_owned(),
            };
            for wish in [show, Change::Give] {
                let event = kept
                    .consents
                    .change(purpose, &wish, Channel::Api, 0)
                    .unwrap();
                kept.consents.accept(event);
            }
        }
        assert_eq!(number(&kept), Some(1.0));
        assert_eq!(change(&kept, "people_named", 10), None);
    }
}
