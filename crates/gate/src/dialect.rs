//! The request shapes that the gateway can read, and the paths they live on.

/// The shape of a request and of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// `POST /v1/chat/completions`.
    Chat,
    /// `POST /v1/responses`.
    Responses,
    /// `POST /v1/messages`, the Anthropic shape.
    Messages,
    /// `POST /v1/completions`, a prompt without turns.
    Completions,
    /// `POST /v1/embeddings`, no conversation.
    Embeddings,
}

impl Dialect {
    /// The dialect spoken at a path below `/v1`, for instance `/chat/completions`.
    pub fn of_path(path: &str) -> Option<Dialect> {
        match path.trim_end_matches('/') {
            "/chat/completions" => Some(Dialect::Chat),
            "/responses" => Some(Dialect::Responses),
            "/messages" => Some(Dialect::Messages),
            "/completions" => Some(Dialect::Completions),
            "/embeddings" => Some(Dialect::Embeddings),
            _ => None,
        }
    }

    /// Whether a person talks in it: only then a governor is asked.
    pub fn is_conversation(self) -> bool {
        matches!(self, Dialect::Chat | Dialect::Responses | Dialect::Messages)
    }

    /// A short name for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Chat => "chat",
            Dialect::Responses => "responses",
            Dialect::Messages => "messages",
            Dialect::Completions => "completions",
            Dialect::Embeddings => "embeddings",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(Dialect::of_path("/chat/completions"), Some(Dialect::Chat));
        assert_eq!(Dialect::of_path("/messages/"), Some(Dialect::Messages));
        assert_eq!(Dialect::of_path("/messages/count_tokens"), None);
        assert_eq!(Dialect::of_path("/models"), None);
    }
}
