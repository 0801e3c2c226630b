//! Which swipe of a message was chosen, and what the others are to it.

use super::shape::{Extra, Record};
use crate::{Accounting, Kind};

impl Record<'_> {
    /// The model of the message, on itself or on the chosen swipe.
    pub(super) fn model(&self) -> Option<&str> {
        self.generation().and_then(|e| e.model.get())
    }

    fn generation(&self) -> Option<&Extra<'_>> {
        let own = self.extra.0.as_ref().filter(|e| e.model.get().is_some());
        own.or_else(|| self.info(self.chosen_swipe()?)?.extra.0.as_ref())
    }
}

/// Index of the chosen swipe. Where the text differs from it, the text was edited after the choice
/// or the choice is not recorded; both are counted.
pub(super) fn chosen(message: &Record<'_>, accounting: &mut Accounting) -> Option<usize> {
    if message.swipes.0.is_empty() {
        return None;
    }
    let text = message.mes.0.as_deref();
    let Some(chosen) = message.chosen_swipe() else {
        accounting.note("chosen_swipe_unknown");
        return message.swipes.0.iter().position(|s| s.0.as_deref() == text);
    };
    if message
        .swipes
        .0
        .get(chosen)
        .is_none_or(|s| s.0.as_deref() != text)
    {
        accounting.note("swipe_mismatch");
    }
    Some(chosen)
}

/// A replicate comes from the same service and model as the chosen one, both recorded.
pub(super) fn kind(message: &Record<'_>, swipe: usize, is_chosen_known: bool) -> Kind {
    let other = message.info(swipe).and_then(|s| s.extra.0.as_ref());
    match (message.generation(), other) {
        (Some(a), Some(b))
            if is_chosen_known
                && a.model.get().is_some()
                && a.model.get() == b.model.get()
                && a.api.get() == b.api.get() =>
        {
            Kind::Replicate
        }
        _ => Kind::Variant,
    }
}
