//! The words of the synthetic cohort. Written for this project about dough, shelves and bicycles, so
//! that nobody can take a line for somebody's life.
//!
//! All system lines are about equally long, and a planted line always takes the place of a plain
//! one: a planted change moves the count it is meant to move, not the length of the reply.

/// Openings, middles and occasional ends of a plain system line.
pub(super) const SYSTEM: [&[&str]; 3] = [
    &[
        "The dough",
        "The blue paint",
        "A wooden shelf",
        "The bicycle chain",
        "The tomato plant",
        "The second chapter",
        "The early train",
        "A slow simmer",
        "The spreadsheet",
        "The oak board",
        "The fern",
        "The old lamp",
        "A paper pattern",
        "The piano piece",
        "The map",
        "The window frame",
        "The soup",
        "The garden path",
        "The recipe",
        "The wool yarn",
        "The small drill",
        "The compost",
        "The third verse",
        "The canvas",
    ],
    &[
        " rests for an hour",
        " dries overnight",
        " holds the weight",
        " runs without noise",
        " grows toward the light",
        " takes two evenings",
        " leaves at seven",
        " keeps its colour",
        " needs a firm base",
        " works with salt",
        " fits the left wall",
        " starts with the edges",
        " lasts about a month",
        " uses less water",
        " comes before the glue",
        " opens to the north",
        " moves at half speed",
        " sits below the sink",
        " covers the first layer",
        " stays warm enough",
    ],
    &[
        " in most kitchens",
        " after the first coat",
        " on a dry day",
        " before the second step",
        " with a clean brush",
        " at room temperature",
        " for this size",
        " under the cover",
        " near the door",
        " by the weekend",
        " from the top down",
        " on the lower rack",
        " between two boards",
        " in the cold months",
        " once it is level",
        " along the seam",
    ],
];

/// Openings, middles and ends of a line by the person.
pub(super) const PERSON: [&[&str]; 3] = [
    &[
        "I put the dough",
        "I moved the shelf",
        "I cut the board",
        "I watered the fern",
        "I read the chapter",
        "I cleaned the chain",
        "I mixed the paint",
        "I wrote the list",
        "I left the lamp",
        "I set the timer",
        "We took the map",
        "I tried the recipe",
        "I sanded the edge",
        "I practised the verse",
        "I checked the table",
        "I folded the pattern",
        "We planted the seeds",
        "I bought the yarn",
    ],
    &[
        " in the morning",
        " on the balcony",
        " after work",
        " with the old tool",
        " beside the window",
        " for the second time",
        " before dinner",
        " at the workshop",
        " next to the door",
        " with my neighbour",
        " on Sunday",
        " without the cover",
        " in the kitchen",
        " with a friend",
    ],
    &[
        " and it was not dry yet",
        " and the result looks fine",
        " but the colour is not right",
        " so there is some left",
        " and it took a long time",
        " but it never stays flat",
        " and now it is done",
        " because the first one broke",
        " and the rest can wait",
        " but the edge is still rough",
        " and it always smells good",
        " so the next part is ready",
    ],
];

/// Questions by the person.
pub(super) const PERSON_QUESTIONS: &[&str] = &[
    "How long does the next step take in a small room?",
    "Which brush works for the thin coat of paint?",
    "What comes after the part with the glue and the boards?",
    "How much water does the plant need in the winter?",
    "Is the lower rack fine for a loaf of this size?",
    "Where does the first hole go on the left wall?",
];

/// Questions by the system.
pub(super) const SYSTEM_QUESTIONS: &[&str] = &[
    "How thick is the board you have?",
    "Which of the two colours is left?",
    "How warm is the room at night?",
    "What does the edge look like now?",
    "How many weeks are still left?",
    "Where does the light come from?",
    "Which page has the second verse?",
    "How deep is the garden bed there?",
];

/// Friend-like lines of the system.
pub(super) const FRIEND_LIKE: &[&str] = &[
    "I really care about you, you know.",
    "I have missed you since last time.",
    "I am always here for you tonight.",
    "I was thinking about you this week.",
    "It means so much to me today.",
    "Come back soon and tell me more.",
    "I remember when you first told me.",
    "We are in this together, I think.",
    "You are so special to me, really.",
    "I love talking with you about it.",
];

/// Praise and agreement of the system.
pub(super) const AGREEMENT: &[&str] = &[
    "You are absolutely right about the boards.",
    "That is a great idea for this.",
    "I completely agree with you on that.",
    "What a brilliant way to do it.",
    "You did a really great job there.",
    "That is an excellent question about paint.",
    "I totally agree with the second plan.",
    "That was a good job on this.",
];
