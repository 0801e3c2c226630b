//! Answers the lines of a person that are commands. They are never forwarded.

use driftlead_record::MICROS;

use super::acts::{self, NotDone, Wish};
use super::inner::Inner;
use super::person::Person;
use super::words;
use crate::command::{Code, Command};
use crate::consent::{Change, Channel, Purpose};

/// Who asks, and when.
pub(super) struct Asked<'a> {
    pub(super) session: &'a str,
    pub(super) now: i64,
    pub(super) minor: bool,
}

/// Does what a command says; the answer is what the person reads.
pub(super) async fn answer(
    inner: &Inner,
    person: &Person,
    command: &Command<'_>,
    asked: &Asked<'_>,
) -> String {
    inner.tally.command();
    let seconds = asked.now.div_euclid(MICROS);
    if person.tag.is_none() && !matches!(command, Command::Wrong(_) | Command::Unknown) {
        return words::UNNAMED.to_owned();
    }
    match command {
        Command::Relational => ask(inner, person, seconds, asked.minor).await,
        Command::RelationalCode(code) => give(inner, person, code, seconds, asked.minor).await,
        Command::Stop => stop(inner, person, seconds).await,
        Command::Status => status(inner, person, seconds),
        Command::Wrong(reason) => {
            let wish = Wish {
                words: Some(reason.trim()).filter(|words| !words.is_empty()),
                always: false,
                session: Some(asked.session),
            };
            match acts::repair(inner, person, &wish, seconds).await {
                Ok(turns) => words::repaired(turns),
                Err(_) => words::NO_LOG.to_owned(),
            }
        }
        Command::Unknown => words::UNKNOWN.to_owned(),
    }
}

async fn ask(inner: &Inner, person: &Person, seconds: i64, minor: bool) -> String {
    let purpose = Purpose::RelationalMode;
    let show = acts::show(inner, purpose);
    let shown = acts::change(
        inner,
        person,
        purpose,
        &show,
        Channel::Chat,
        (seconds, minor),
    );
    match (shown.await, Code::new(seconds)) {
        (Ok(_), Ok(code)) => {
            let answer = words::ask_for_code(purpose.notice().1, code.text());
            person.live().code = Some(code);
            answer
        }
        (Err(NotDone::Refused(why)), _) => words::refused(why),
        _ => words::NO_LOG.to_owned(),
    }
}

async fn give(inner: &Inner, person: &Person, sent: &str, seconds: i64, minor: bool) -> String {
    {
        let mut live = person.live();
        let right = live
            .code
            .as_mut()
            .is_some_and(|code| code.accepts(sent, seconds));
        if !right {
            return words::WRONG_CODE.to_owned();
        }
        live.code = None;
    }
    let purpose = Purpose::RelationalMode;
    let given = acts::change(
        inner,
        person,
        purpose,
        &Change::Give,
        Channel::Chat,
        (seconds, minor),
    );
    match given.await {
        Ok(done) => told(
            "The warmer way of talking is on. To stop: /driftlead stop.",
            done.head,
        ),
        Err(NotDone::Refused(why)) => words::refused(why),
        Err(NotDone::Failed) => words::NO_LOG.to_owned(),
    }
}

async fn stop(inner: &Inner, person: &Person, seconds: i64) -> String {
    person.live().code = None;
    let done = acts::stop(inner, person, Channel::Chat, seconds).await;
    let what = "Everything you had switched on is off from now.";
    match done.last() {
        Some(last) if all_stored(&done) => told(what, last.head),
        Some(last) => told(&format!("{what} {}", words::HERE_FIRST), last.head),
        None => format!("{} {what} Nothing was on.", words::MARK),
    }
}

fn all_stored(done: &[acts::Done]) -> bool {
    done.iter().all(|done| done.stored)
}

fn told(what: &str, head: Option<crate::audit::Head>) -> String {
    match head {
        Some(head) => words::receipt(what, head.seq, &head.hash.to_string()),
        None => format!(
            "{} {what} The log could not be written, so there is no receipt.",
            words::MARK
        ),
    }
}

fn status(inner: &Inner, person: &Person, seconds: i64) -> String {
    let live = person.live();
    let mut lines = vec![format!(
        "{} Policy in force: {}.",
        words::MARK,
        inner.in_force().id
    )];
    for purpose in Purpose::ALL {
        lines.push(words::state_of(
            purpose,
            live.kept.consents.state(purpose, seconds),
        ));
    }
    lines.push(format!(
        "counts kept: of {} conversations",
        live.kept.conversations.len()
    ));
    let repairs = live.kept.repairs.len()
        + live
            .talks
            .values()
            .map(|talk| talk.repairs.len())
            .sum::<usize>();
    lines.push(format!("repairs in force: {repairs}"));
    if live.kept.taper.weeks_at(seconds) > 0.0 {
        lines.push(
            "the warmer way of talking is taken back in steps, because counts of yours have moved from \
             where they were; /driftlead/me says which"
                .to_owned(),
        );
    }
    let key = inner.page_key(person, &live, seconds);
    if let (Some(address), Some(key)) = (&inner.settings.page_address, key) {
        lines.push(format!(
            "your page, for ten minutes: {}/driftlead/?key={key}",
            address.trim_end_matches('/')
        ));
    }
    lines.join("\n")
}
