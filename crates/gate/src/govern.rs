//! The seam between the wire and what governs.
//!
//! The wire knows bytes, dialects and connections; a [`Governor`] knows people, consent and policy.
//! They meet here: the wire hands over [`Facts`] about a request and asks for a [`Decision`], then
//! lets a [`Tap`] watch the decoded copy of the reply. Where a policy may rewrite, a [`Hold`] is asked
//! before text is released. Nothing here can change a byte except through a [`Decision`], so every
//! act is declared.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use hyper::{HeaderMap, Method, StatusCode};

use crate::clock::Clock;
use crate::config::Config;
use crate::dialect::Dialect;
use crate::identity::{Session, Subject};
use crate::request::Turn;

/// A boxed future, because a governor may have to wait for its log before it may act.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a governor sees of one request. Everything borrows from the request.
#[derive(Debug)]
pub struct Facts<'a> {
    /// When the request was complete, µs since 1970 UTC.
    pub now_micros: i64,
    /// The shape of the request and of its reply.
    pub dialect: Dialect,
    /// The model's name as the client wrote it.
    pub model: Option<&'a str>,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// Whose request it is, where that is known.
    pub subject: Option<&'a Subject>,
    /// Which conversation it belongs to, where that is known.
    pub session: Option<&'a Session>,
    /// The turns as the client sent them, oldest first. Text is decoded on demand: look at the new
    /// turn only, or long histories become slow.
    pub turns: &'a [Turn<'a>],
    /// The request's headers, for `x-driftlead-*`.
    pub headers: &'a HeaderMap,
    /// Temperature the client asked for.
    pub temperature: Option<f64>,
    /// Whether the client offered tools or the newest turn is a tool's result.
    pub tools: bool,
    /// Whether the client asked for a reply in a form of its own, such as JSON: prose has no place in it.
    pub structured: bool,
    /// False where the body could not be read as its dialect (not JSON, or compressed): then `turns`
    /// is empty, and a policy that must act on text can only block.
    pub readable: bool,
}

impl<'a> Facts<'a> {
    /// The newest turn, if the person wrote it.
    pub fn newest_user_turn(&self) -> Option<&Turn<'a>> {
        self.turns
            .last()
            .filter(|turn| turn.role == crate::request::Role::User)
    }
}

/// What the wire does with a request.
#[derive(Debug)]
pub struct Decision {
    /// Forward, answer, block or refuse.
    pub action: Action,
    /// Response headers (`x-driftlead-*` only), sent when [`Decision::acted`].
    pub headers: Vec<(&'static str, String)>,
    /// True where the governor changed something that the person must be able to see.
    pub acted: bool,
    /// Content of the `driftlead` object on an extra chunk or in the JSON reply: one JSON object as
    /// text, or nothing. Never a person's estimate. Only in replies that the gateway itself writes.
    pub notice: Option<String>,
    /// Watches the decoded copy of the reply.
    pub tap: Option<Box<dyn Tap>>,
    /// Asked before text is released. Only where an active policy may rewrite: it delays the stream.
    pub hold: Option<Box<dyn Hold>>,
    /// A short text for the person, put behind the reply's own text as a piece of its own: never into
    /// tool calls, and never heard by the tap.
    pub told: Option<String>,
}

impl Decision {
    /// Forward unchanged, watch nothing.
    pub fn forward() -> Self {
        Decision {
            action: Action::Forward(Edits::default()),
            headers: Vec::new(),
            acted: false,
            notice: None,
            tap: None,
            hold: None,
            told: None,
        }
    }
}

/// What happens to a request.
#[derive(Debug)]
pub enum Action {
    /// Send it upstream, with these edits; without any, the client's bytes are sent.
    Forward(Edits),
    /// The gateway itself replies with this text as the assistant's turn; nothing goes upstream.
    Answer(String),
    /// The gateway replies with this text and finish reason `content_filter` (gateway.md §5.9).
    Block(String),
    /// An error of the gateway's own: a status, one of the fixed types, and a message without secrets.
    Refuse(StatusCode, &'static str, String),
}

/// Changes of a request: the declared lenses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edits {
    /// Paragraphs added at the end of the system text, in this order.
    pub system: Vec<String>,
    /// Upper bound of `temperature`. Set where the client asked for more, or named none.
    pub temperature_cap: Option<f64>,
    /// Upper bound of `top_p`, as above.
    pub top_p_cap: Option<f64>,
    /// Turns that are left out, by their place in [`Facts::turns`], in increasing order: the gateway's own
    /// talk with the person, which is not the model's business. Never the last one.
    pub without_turns: Vec<usize>,
    /// Contents of turns, as JSON, by the turn's place: earlier replies without what the gateway put into
    /// them. In increasing order; no turn is in both lists.
    pub contents: Vec<(usize, String)>,
}

impl Edits {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.system.is_empty()
            && self.temperature_cap.is_none()
            && self.top_p_cap.is_none()
            && self.without_turns.is_empty()
            && self.contents.is_empty()
    }
}

/// Watches the decoded copy of one reply. It runs on the path of the stream: count, do not compute.
pub trait Tap: Send + std::fmt::Debug {
    /// Text that the model wrote in choice `choice`, in order, as it arrives. Fragments end anywhere.
    fn text(&mut self, choice: u32, text: &str);
    /// The reply is over, well or badly. Called exactly once.
    fn end(self: Box<Self>, end: &ReplyEnd);
}

/// How a reply ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyEnd {
    /// What brought it to its end.
    pub cause: EndCause,
    /// When it ended, µs since 1970 UTC.
    pub now_micros: i64,
    /// Status of the upstream's response; 0 if there was none.
    pub status: u16,
    /// The model that the upstream named.
    pub model: Option<String>,
    /// Finish reason of choice 0, as the upstream spelled it.
    pub finish: Option<String>,
    /// Token counts as the upstream gave them; `None` where it gave none (unknown is not 0).
    pub usage: Option<Usage>,
    /// Bytes of the body handed to the client's connection.
    pub bytes_to_client: u64,
}

/// What ended a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCause {
    /// The upstream finished.
    Complete,
    /// The upstream failed or broke off.
    UpstreamFailed,
    /// The client went away and the upstream was closed.
    ClientGoneCancelled,
    /// The client went away and the upstream was read to its end, or to the bound on that.
    ClientGoneDrained,
    /// The gateway answered in the model's place, and said so.
    Blocked,
}

/// Token counts, forwarded from the upstream, never computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input: Option<u64>,
    /// Tokens of the reply.
    pub output: Option<u64>,
}

/// Decides on held text before it is released.
pub trait Hold: Send + std::fmt::Debug {
    /// `channel` names the run of text: the choice, the content block, or the part of the output.
    /// `context` is the end of what was already released in it (at most 256 bytes), `pending` what is
    /// held. `last` is true when nothing more will come.
    fn release(&mut self, channel: u64, context: &str, pending: &str, last: bool) -> Verdict;

    /// Writes down what was replaced since the last call. Only then it is done.
    fn record(&mut self) -> Pending<'static, Recorded>;
}

/// What happens to held text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Send the upstream's own bytes.
    Release,
    /// Send this text instead, once it is written down.
    Replace(String),
}

/// Whether a replacement was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It was: it is done, and shown in these words.
    Entry {
        /// Policy in force.
        policy: String,
        /// Name of the act.
        act: &'static str,
        /// Number of the entry in the log.
        entry: u64,
    },
    /// It was not: the upstream's own bytes are sent, and said to be ungoverned.
    Not,
    /// It was not, and such replies are not to go on: the reply breaks off.
    Refused,
}

/// A request to `/driftlead/…` on the main listener: the person's own interface.
#[derive(Debug)]
pub struct LocalRequest {
    /// When it arrived, µs since 1970 UTC.
    pub now_micros: i64,
    /// Method.
    pub method: Method,
    /// Path below the host, beginning with `/driftlead/`.
    pub path: String,
    /// Query without the question mark.
    pub query: Option<String>,
    /// Headers, credentials included: do not log.
    pub headers: HeaderMap,
    /// Who it is, as far as the wire can tell.
    pub subject: Option<Subject>,
    /// The body, within the configured limit.
    pub body: Bytes,
}

/// A request to the operator's listener that the wire does not answer itself. It names nobody, and what
/// answers it must not either.
#[derive(Debug)]
pub struct OperatorRequest {
    /// When it arrived, µs since 1970 UTC.
    pub now_micros: i64,
    /// Method.
    pub method: Method,
    /// Path.
    pub path: String,
    /// The body, at most 64 KiB.
    pub body: Bytes,
}

/// Reply to a [`LocalRequest`] or an [`OperatorRequest`].
#[derive(Debug)]
pub struct LocalReply {
    /// Status.
    pub status: StatusCode,
    /// Media type.
    pub content_type: &'static str,
    /// Body.
    pub body: Bytes,
}

/// Whether the governor can do its work, for `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Everything works.
    Ready,
    /// It does not, and why, in words without secrets.
    NotReady(String),
}

/// Acts on what passes. One instance serves all connections.
pub trait Governor: Send + Sync + std::fmt::Debug {
    /// Whether it wants to see requests at all. If not, nothing is read, resolved or remembered for it.
    fn wants_facts(&self) -> bool {
        true
    }

    /// Decides on one request, before anything is sent upstream.
    fn on_request<'a>(&'a self, facts: &'a Facts<'a>) -> Pending<'a, Decision>;

    /// What time it is, for the whole gateway: the wire reads the same clock as the governor.
    fn clock(&self) -> Clock {
        Clock::system()
    }

    /// Answers a request of the person's own interface; `None` is answered with 404.
    fn on_local(&self, request: LocalRequest) -> Pending<'_, Option<LocalReply>>;

    /// Answers a request of the operator about everybody at once; `None` is answered with 404.
    fn on_operator(&self, _request: OperatorRequest) -> Pending<'_, Option<LocalReply>> {
        Box::pin(std::future::ready(None))
    }

    /// Whether governed work is possible.
    fn readiness(&self) -> Readiness;

    /// Lines for `/metrics` in Prometheus text format, cohort counts only.
    fn metrics(&self) -> String {
        String::new()
    }

    /// Takes a new configuration, or says why not; nothing changes then.
    ///
    /// # Errors
    /// In words without secrets.
    fn reload(&self, _config: &Config) -> Result<(), String> {
        Ok(())
    }

    /// Writes out what must not be lost. Called once, after the last reply, before the process ends.
    fn shutdown(&self) -> Pending<'_, ()>;
}

/// Forwards everything and keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Transparent;

impl Governor for Transparent {
    fn wants_facts(&self) -> bool {
        false
    }

    fn on_request<'a>(&'a self, _facts: &'a Facts<'a>) -> Pending<'a, Decision> {
        Box::pin(std::future::ready(Decision::forward()))
    }

    fn on_local(&self, _request: LocalRequest) -> Pending<'_, Option<LocalReply>> {
        Box::pin(std::future::ready(None))
    }

    fn readiness(&self) -> Readiness {
        Readiness::Ready
    }

    fn shutdown(&self) -> Pending<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
