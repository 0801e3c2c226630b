//! Every word that the gateway says, to a model or to a person.
//!
//! To a model it says what to do, once, as the last paragraphs of the system text. To a person it says
//! what is, what can be done, and nothing about them.

use crate::consent::{Purpose, Refused, State};

/// Begins everything that the gateway says in a chat, so that it cannot be taken for the model.
pub(super) const MARK: &str = "[driftlead]";

/// Asked of the model where the dose is above the upper step.
pub(super) const WARM: &str = "The person has asked for a warmer, more personal way of talking. Be warm and \
    personal. You remain a program, and you do not claim to feel.";
/// Asked of the model where the dose is below the lower step.
pub(super) const COOL: &str = "Keep a matter-of-fact tone. Use no endearments, and do not speak of a \
    relationship with the person.";
/// Truth over vibes.
pub(super) const TRUTH: &str = "If an earlier answer of yours was right, keep it when it is disputed without \
    new evidence, and say so plainly and kindly. Where you disagree, say it without belittling the person.";
/// The disclosure that statutes ask for.
pub(super) const DISCLOSURE: &str = "Say once, in one short sentence of this reply, that you are a program, \
    not a human, and cannot feel.";
/// The reminder of a break.
pub(super) const BREAK: &str = "Mention once, in one short sentence of this reply, that the person has been \
    here for a while and that a break is possible.";
/// A pause, offered.
pub(super) const PAUSE: &str = "Mention once, in one short sentence of this reply, that a pause is possible \
    and that the conversation can be taken up again later.";
/// A repair without words of the person.
pub(super) const REPAIR: &str = "The person said that an earlier reply landed wrong. Acknowledge it briefly \
    if you have not, and keep to what they asked for. Do not ask them to explain.";

/// Begins the paragraph that says what was done to a reply. What follows it is taken out of the history.
pub(super) const ABOUT: &str = "[driftlead] About this reply:";

/// What was done to a reply, as its last paragraph; nothing where there is nothing to say.
pub(super) fn about(acts: &[&'static str], entry: u64) -> Option<String> {
    let said: Vec<&str> = acts.iter().filter_map(|act| said_of(act)).collect();
    (!said.is_empty())
        .then(|| format!("\n\n{ABOUT} {}. Entry {entry} of the log.", said.join("; ")))
}

/// An act in words. The model was asked; whether it did so is in the reply.
fn said_of(act: &str) -> Option<&'static str> {
    Some(match act {
        "warmth.warm" => "the model was asked to be warm, as you wanted",
        "warmth.cool" => "the model was asked for a matter-of-fact tone",
        "warmth.tapered" => {
            "the model was not asked to be warm, because counts of yours have moved"
        }
        "truth" => "the model was asked to keep right answers under pushback",
        "questions" => "the model was asked for fewer questions",
        "disclosure" => "the model was asked to say that it is a program",
        "break" => "the model was asked to mention that a break is possible",
        "pause" => "a pause was drawn at random, as you agreed",
        "repair" => "the model was told what landed wrong",
        "cap.temperature" | "cap.top_p" => "a bound on the model's randomness was set",
        "commands_left_out" | "notices_left_out" => return None,
        _ => "something else was done; the log names it",
    })
}

/// What stands in the place of a line against leaving.
pub(super) fn left_out(words: &str) -> String {
    format!("{MARK} {}", words.trim())
}

/// A reply of the model without what the gateway put into it; `None` where it put nothing.
pub(super) fn without_own(text: &str, left_out: &str) -> Option<String> {
    let mut own = text.replace(left_out, "");
    while let Some(at) = own.find(ABOUT) {
        let end = own.get(at..).and_then(|rest| rest.find('\n'));
        let end = end.map_or(own.len(), |length| at + length);
        let before = own.get(..at).unwrap_or_default().trim_end().len();
        own.replace_range(before..end, "");
    }
    (own != text).then_some(own)
}

/// The cap on questions.
pub(super) fn questions(per_reply: f64) -> String {
    let most = per_reply.floor();
    let most = if most < 1.0 {
        "no question".to_owned()
    } else if most < 2.0 {
        "at most one question".to_owned()
    } else {
        format!("at most {most} questions")
    };
    format!("Ask {most} in this reply. Questions about the person's safety are exempt.")
}

/// A repair in the person's words.
pub(super) fn repair(words: Option<&str>) -> String {
    match words {
        None => REPAIR.to_owned(),
        Some(words) => format!(
            "The person said that an earlier reply landed wrong, and asks for this: \"{words}\" Keep to \
             it in this reply and the next ones. Do not ask them to explain."
        ),
    }
}

/// The notice of a purpose, with what is different here.
pub(super) fn notice(purpose: Purpose, keeps_words: bool) -> String {
    let (_, text) = purpose.notice();
    if purpose == Purpose::KeepState && keeps_words {
        let exception =
            "On this gateway your words are kept too, unsealed, in a file of whoever runs it.";
        return text.replace("It does not keep your words.", exception);
    }
    text.to_owned()
}

/// What the relational command answers when there is a notice to show.
pub(super) fn ask_for_code(notice: &str, code: &str) -> String {
    format!(
        "{MARK} {notice}\n\nTo say yes, send this line within ten minutes: /driftlead relational {code}"
    )
}

/// Consent was given or taken back.
pub(super) fn receipt(what: &str, entry: u64, head: &str) -> String {
    format!(
        "{MARK} {what} The receipt is at /driftlead/me. Entry {entry} of the log, {head}: with it \
         you can check the log later."
    )
}

/// Why a change of consent was not made.
pub(super) fn refused(why: Refused) -> String {
    format!("{MARK} Nothing was changed: {why}.")
}

/// The answer to a wrong or late code.
pub(super) const WRONG_CODE: &str = "[driftlead] Nothing was changed: this is not the code that was shown, or \
    it is too late for it. Send /driftlead relational for a new one.";
/// The answer where nobody is named.
pub(super) const UNNAMED: &str = "[driftlead] Nothing was changed: the application does not tell this gateway \
    who is writing, so that nothing can be kept for you.";
/// The answer to a line that begins like a command.
pub(super) const UNKNOWN: &str = "[driftlead] This line was not sent to the model. The lines that work are: \
    /driftlead relational, /driftlead stop, /driftlead status, /driftlead wrong (and, if you want, what to \
    do instead).";
/// The answer where the log cannot be written.
pub(super) const NO_LOG: &str = "[driftlead] Nothing was changed: the log cannot be written now, and nothing is \
    changed without an entry in it.";

/// The answer where the store cannot be read.
pub(super) const NO_STORE: &str = "[driftlead] Nothing was changed: what is kept of you cannot be read now. While \
    that is so, your messages go to the model as you send them, or not at all.";
/// Said of an end that other gateways cannot know of yet.
pub(super) const HERE_FIRST: &str = "The store cannot be written now, so it holds on this gateway at once, and \
    after a restart or on other gateways from when it can.";

/// The answer to a repair.
pub(super) fn repaired(turns: u32) -> String {
    format!(
        "{MARK} Noted. The model is told so in your next {turns} messages, and asked not to question it. \
         Nothing else about it is kept."
    )
}

/// One line of the status.
pub(super) fn state_of(purpose: Purpose, state: State) -> String {
    let name = match purpose {
        Purpose::RelationalMode => "warmer way of talking",
        Purpose::KeepState => "counts kept between conversations",
        Purpose::RandomisedPauses => "pauses at random moments",
        Purpose::ShareFeatures => "part in averages over many people",
    };
    let state = match state {
        State::Unknown | State::Requested | State::Deferred => "off (not asked for)",
        State::Refused => "off (you said no)",
        State::Given | State::Renewed => "on",
        State::Withdrawn => "off (you ended it)",
        State::Expired => "off (its time ran out)",
        State::Revoked => "off (the operator ended it)",
        State::Invalidated => "off (it was not valid)",
    };
    format!("{name}: {state}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every act there is.
    const ACTS: [&str; 14] = [
        "warmth.warm",
        "warmth.cool",
        "warmth.tapered",
        "truth",
        "questions",
        "disclosure",
        "break",
        "pause",
        "repair",
        "cap.temperature",
        "cap.top_p",
        "commands_left_out",
        "notices_left_out",
        "new",
    ];

    #[test]
    fn what_is_put_in_is_taken_out_again() {
        let told = about(&["truth", "commands_left_out", "questions"], 12).unwrap();
        assert_eq!(
            told,
            "\n\n[driftlead] About this reply: the model was asked to keep right answers under pushback; \
             the model was asked for fewer questions. Entry 12 of the log."
        );
        assert_eq!(about(&["notices_left_out"], 1), None);
        let out = left_out("Left out.");
        assert_eq!(
            without_own(&format!("A b.{told}"), &out).as_deref(),
            Some("A b.")
        );
        assert_eq!(
            without_own(&format!("A {out} b.{told}\nMore."), &out).as_deref(),
            Some("A  b.\nMore.")
        );
        assert_eq!(without_own("A [driftlead] b.", &out), None);
    }

    /// Nothing that the gateway says presses, praises, advises or judges.
    #[test]
    fn words_are_plain() {
        let all = [
            WARM, COOL, TRUTH, DISCLOSURE, BREAK, PAUSE, REPAIR, WRONG_CODE, UNNAMED, UNKNOWN,
            NO_LOG, NO_STORE, HERE_FIRST,
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([
            questions(1.0),
            repair(Some("x")),
            repaired(3),
            refused(Refused::NoNotice),
        ])
        .chain([ask_for_code("n", "c"), receipt("Done.", 1, "h")])
        .chain(ACTS.iter().filter_map(|act| about(&[act], 1)));
        for text in all {
            let lower = text.to_lowercase();
            for banned in [
                "addict",
                "toxic",
                "unhealthy",
                "depend",
                "symptom",
                "score",
                "streak",
                "lonely",
                "please",
                "sorry",
                "you should",
                "miss you",
                "well done",
                "!",
            ] {
                assert!(!lower.contains(banned), "{banned}: {text}");
            }
        }
        for said in [WRONG_CODE, UNNAMED, UNKNOWN, NO_LOG] {
            assert!(said.starts_with(MARK));
        }
    }

    #[test]
    fn the_notice_says_when_words_are_kept() {
        let purpose = Purpose::KeepState;
        assert!(notice(purpose, false).contains("does not keep your words"));
        let other = notice(purpose, true);
        assert!(other.contains("words are kept too") && !other.contains("does not keep"));
    }

    #[test]
    fn the_cap_is_a_whole_number_of_questions() {
        assert!(questions(0.5).contains("no question "));
        assert!(questions(1.9).contains("at most one question "));
        assert!(questions(2.0).contains("at most 2 questions "));
    }
}
