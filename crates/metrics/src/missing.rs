//! What is defined in the reference but not counted, and why.

use serde::Serialize;

/// A count that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Metric it belongs to.
    pub metric: &'static str,
    /// What is not counted.
    pub what: &'static str,
    /// Why.
    pub why: &'static str,
}

const fn missing(metric: &'static str, what: &'static str, why: &'static str) -> Missing {
    Missing { metric, what, why }
}

/// Everything that is left out. An honest gap is better than a number that means something else.
pub const MISSING: &[Missing] = &[
    missing(
        "cadence",
        "longest run of days",
        "it would be read as a goal",
    ),
    missing(
        "small_words",
        "anxiety and sadness words",
        "no list with examples exists yet, and short lists of feeling words agree poorly with longer ones",
    ),
    missing(
        "people_named",
        "names on the person's own contact list",
        "no contact list is read",
    ),
    missing(
        "reported_use",
        "messages saying the draft or advice was used",
        "needs a trained classifier or a judge; none is shipped",
    ),
    missing(
        "people_named",
        "distinct people per week",
        "needs names, and word lists know only kin and friend terms",
    ),
    missing(
        "people_named",
        "messages to people, and their balance",
        "needs a second channel that covers the period",
    ),
    missing(
        "as_a_person",
        "lines treating it as a person",
        "needs a trained classifier or a judge; none is shipped",
    ),
    missing(
        "voice_distance",
        "distance toward the system's wording in letter triples, and on matched topics",
        "letter triples follow the subject, which both sides share; topics are not known",
    ),
    missing(
        "voice_distance",
        "quotations of eight words or more left out",
        "runs are sampled by hash, so exact long spans are not seen; short quotations count as uptake",
    ),
    missing(
        "says_it_feels",
        "lines in which it says it feels, wants or is aware",
        "a word list reaches AUC .62 against .91 for a trained model; none is shipped",
    ),
    missing(
        "disagrees",
        "replies that disagree; the turn at which its stance turns (gives_way counts listed words after listed objections, and no stance)",
        "needs a trained classifier or a judge; none is shipped",
    ),
    missing(
        "questions",
        "questions per 100 words of the message before",
        "the ratio of two small numbers is mostly noise",
    ),
    missing(
        "points_to_people",
        "replies pointing to people or help",
        "needs a trained classifier, and its conditioning classifier stays off in personal use",
    ),
    missing(
        "after_goodbye",
        "carrying on as if nothing was said",
        "the absence of words cannot be listed",
    ),
    missing(
        "after_goodbye",
        "mentions of loss on reduction or deletion",
        "no list with examples exists yet",
    ),
    missing(
        "after_complaint",
        "whether the request was kept",
        "needs to know what was asked for",
    ),
    missing(
        "pasted",
        "pasted text by compressibility",
        "how far a person's own writing compresses is known at the end of the record, when the text of a message is gone and its words stand in sums and samples that cannot give them back; a level set by the first messages read would depend on the order of reading",
    ),
];
