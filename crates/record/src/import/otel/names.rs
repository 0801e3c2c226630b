//! Every attribute and event name that is read, and nothing else: names change with each release of
//! the conventions (formats.md §13).

/// Model that answered, best first.
pub(super) const MODEL: &[&str] = &[
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "ai.response.model",
    "ai.model.id",
    "gen_ai.request.model",
    "llm.response.model",
    "llm.model_name",
    "model",
];

/// Conversation id, best first. A session may be one of an app, so it comes after the conversation.
pub(super) const CONVERSATION: &[&str] = &[
    "gen_ai.conversation.id",
    "langfuse.session.id",
    "session.id",
    "ai.telemetry.metadata.conversationId",
    "ai.telemetry.metadata.sessionId",
    "traceloop.association.properties.conversation_id",
    "traceloop.association.properties.thread_id",
    "traceloop.association.properties.session_id",
    "langfuse.trace.metadata.session_id",
];

/// Person id, best first. The conventions themselves have none.
pub(super) const PERSON: &[&str] = &[
    "langfuse.user.id",
    "user.id",
    "enduser.id",
    "ai.telemetry.metadata.userId",
    "traceloop.association.properties.user_id",
    "langfuse.trace.metadata.user_id",
];

pub(super) const DEPLOYMENT: &[&str] = &["gen_ai.agent.name", "service.name"];

/// Settings whose difference makes an answer another system's.
pub(super) const SETTINGS: &[&str] = &[
    "gen_ai.request.temperature",
    "gen_ai.request.top_p",
    "gen_ai.request.seed",
    "gen_ai.request.max_tokens",
];

pub(super) const RESPONSE_ID: &str = "gen_ai.response.id";
pub(super) const OPERATION: &str = "gen_ai.operation.name";
/// Operations of a span that itself asks a model.
pub(super) const LEAF_OPERATIONS: &[&str] = &["chat", "generate_content", "text_completion"];
/// What neighbouring conventions say instead of an operation.
pub(super) const LEAF_SIGNS: &[(&str, &[&str])] = &[
    ("openinference.span.kind", &["LLM"]),
    ("langfuse.observation.type", &["generation", "GENERATION"]),
    ("llm.request.type", &["chat", "completion"]),
    (
        "ai.operationId",
        &[
            "ai.generateText.doGenerate",
            "ai.streamText.doStream",
            "ai.generateObject.doGenerate",
            "ai.streamObject.doStream",
        ],
    ),
];

pub(super) const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
pub(super) const INPUT_MESSAGES: &str = "gen_ai.input.messages";
pub(super) const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";

pub(super) const DETAILS_EVENT: &str = "gen_ai.client.inference.operation.details";
/// Events of v1.36 and before, with the role that they stand for.
pub(super) const MESSAGE_EVENTS: &[(&str, &str)] = &[
    ("gen_ai.system.message", "system"),
    ("gen_ai.user.message", "user"),
    ("gen_ai.assistant.message", "assistant"),
    ("gen_ai.tool.message", "tool"),
];
pub(super) const CHOICE_EVENT: &str = "gen_ai.choice";
pub(super) const PROMPT_EVENT: &str = "gen_ai.content.prompt";
pub(super) const COMPLETION_EVENT: &str = "gen_ai.content.completion";
pub(super) const PROMPT: &str = "gen_ai.prompt";
pub(super) const COMPLETION: &str = "gen_ai.completion";

pub(super) const OPENINFERENCE_INPUT: &str = "llm.input_messages";
pub(super) const OPENINFERENCE_OUTPUT: &str = "llm.output_messages";

pub(super) const VERCEL_MESSAGES: &str = "ai.prompt.messages";
pub(super) const VERCEL_PROMPT: &str = "ai.prompt";
pub(super) const VERCEL_TEXT: &[&str] = &["ai.response.text", "ai.result.text"];
pub(super) const VERCEL_CALLS: &[&str] = &["ai.response.toolCalls", "ai.result.toolCalls"];

pub(super) const LOGFIRE: &[&str] = &["all_messages_events", "events"];

/// Conventions that put one value of loose shape under a name for the input and one for the output,
/// in the order of precedence, with a name for the report.
pub(super) struct Loose {
    pub(super) name: &'static str,
    pub(super) input: &'static [&'static str],
    pub(super) output: &'static [&'static str],
}

pub(super) const LANGFUSE: Loose = Loose {
    name: "langfuse",
    input: &["langfuse.observation.input", "langfuse.trace.input"],
    output: &["langfuse.observation.output", "langfuse.trace.output"],
};
pub(super) const GENKIT: Loose = Loose {
    name: "genkit",
    input: &["genkit:input"],
    output: &["genkit:output"],
};

/// Those that rank after the events and before the older attributes.
pub(super) const OTHERS: &[Loose] = &[
    Loose {
        name: "google_adk",
        input: &["gcp.vertex.agent.llm_request"],
        output: &["gcp.vertex.agent.llm_response"],
    },
    Loose {
        name: "mlflow",
        input: &["mlflow.spanInputs"],
        output: &["mlflow.spanOutputs"],
    },
    Loose {
        name: "traceloop_entity",
        input: &["traceloop.entity.input"],
        output: &["traceloop.entity.output"],
    },
    Loose {
        name: "openinference_value",
        input: &["input.value"],
        output: &["output.value"],
    },
    Loose {
        name: "plain",
        input: &["input"],
        output: &["output"],
    },
    Loose {
        name: "pydantic_ai",
        input: &["pydantic_ai.all_messages"],
        output: &["final_result"],
    },
];
