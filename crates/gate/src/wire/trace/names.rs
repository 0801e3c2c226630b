//! Every name of the OpenTelemetry conventions that is used here, in one place, because they are not
//! stable: semantic conventions 1.42.0 and the GenAI conventions that were moved out of them
//! (gateway.md §7). Left out on purpose: `gen_ai.conversation.id`, which would join what one person does;
//! everything that holds content; and `gen_ai.evaluation.result`, which would be an estimate per person.

use crate::dialect::Dialect;

pub(super) const SERVICE_NAME: &str = "service.name";
pub(super) const SERVICE_VERSION: &str = "service.version";
pub(super) const OPERATION: &str = "gen_ai.operation.name";
pub(super) const PROVIDER: &str = "gen_ai.provider.name";
pub(super) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(super) const REQUEST_STREAM: &str = "gen_ai.request.stream";
pub(super) const RESPONSE_MODEL: &str = "gen_ai.response.model";
pub(super) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
pub(super) const FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
pub(super) const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
pub(super) const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
pub(super) const STATUS: &str = "http.response.status_code";
pub(super) const ERROR: &str = "error.type";

/// The value of [`OPERATION`].
pub(super) fn operation(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat | Dialect::Responses | Dialect::Messages => "chat",
        Dialect::Completions => "text_completion",
        Dialect::Embeddings => "embeddings",
    }
}

/// The value of [`PROVIDER`]: whose wire format is spoken. Who runs the model server is not known here.
pub(super) fn provider(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Messages => "anthropic",
        _ => "openai",
    }
}
