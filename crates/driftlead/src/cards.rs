//! Cards as the page shows them.

use driftlead_drift::Course;
use driftlead_report::CardText;

/// The cards of the metrics that occur in the courses.
pub(crate) fn texts(_courses: &[Course]) -> Vec<CardText> {
    Vec::new()
}
