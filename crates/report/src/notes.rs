//! What the page cannot tell, and how every count is made.

use driftlead_drift::{Course, Rung};

use crate::html::Html;
use crate::input::CardText;
use crate::strings;

/// Writes the literal list of what these counts cannot tell.
pub(crate) fn write_limits(h: &mut Html, courses: &[Course]) {
    let mut verdicts = courses.iter().flat_map(|c| &c.lines).map(|l| &l.verdict);
    let randomised = verdicts.any(|v| v.rung == Rung::Randomised);
    h.el("section", &[], |h| {
        h.leaf("h2", &[], strings::LIMITS);
        h.el("ul", &[], |h| {
            if !randomised {
                h.leaf("li", &[], strings::LIMIT_CAUSE);
            }
            for limit in strings::LIMIT_LIST {
                h.leaf("li", &[], limit);
            }
        });
    });
}

/// Writes the cards, folded.
pub(crate) fn write_cards(h: &mut Html, cards: &[CardText]) {
    if cards.is_empty() {
        return;
    }
    h.el("section", &[("class", "cards")], |h| {
        h.leaf("h2", &[], strings::CARDS);
        h.leaf("p", &[], strings::CARDS_TEXT);
        for card in cards {
            write_card(h, card);
        }
    });
}

fn write_card(h: &mut Html, card: &CardText) {
    h.el("details", &[], |h| {
        h.leaf("summary", &[], &strings::capital(&card.name));
        h.el("dl", &[("class", "card")], |h| {
            let id = (strings::CARD_ID, card.id.as_str());
            let hash = (strings::CARD_HASH, card.hash.as_str());
            let rows = card.rows.iter().map(|(k, v)| (k.as_str(), v.as_str()));
            for (name, text) in [id, hash].into_iter().chain(rows) {
                h.leaf("dt", &[], name);
                h.leaf("dd", &[], text);
            }
        });
    });
    h.line();
}
