// Clients in Node, run by peers/clients: clients_node.mjs CLIENT PORT MODULES, one line of JSON per case.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import readline from "node:readline";

const [client, port, modules] = process.argv.slice(2);
const address = `http://127.0.0.1:${port}`;
const resolve = createRequire(`${modules}/package.json`).resolve;
const load = (name) => import(pathToFileURL(resolve(name)));
const system = "Answer „briefly“.";
const asked = { role: "user", content: "What is new?" };
const turns = [{ role: "system", content: system }, asked];
const command = [{ role: "assistant", content: "Little." }, { role: "user", content: "/driftlead status" }];
const parameters = { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } } };
const failures = ["error-401", "error-429", "error-500"];

const failure = (error) => ({
  error: error.name ?? error.constructor.name, class: error.constructor.name, message: error.message,
  status: error.status ?? error.statusCode, code: error.code, type: error.type, body: error.error ?? error.responseBody,
  cause: error.cause && `${error.cause.name}: ${error.cause.message}`,
});

async function collect(stream, got, most) {
  for await (const item of await stream) {
    got.push(item);
    if (got.length === most) break;
  }
  return got;
}

// How many items come of streams that break off right behind the last, over twenty of them: every number seen.
async function cut(stream) {
  const seen = new Set();
  for (let number = 0; number < 20; number++) {
    const got = [];
    try {
      await collect(stream(), got);
      got.push("a proper end");
    } catch {}
    seen.add(got.length);
  }
  return [...seen].sort();
}

async function paced(stream) {
  const times = [];
  for await (const _ of await stream) times.push(performance.now());
  return { items: times.length, "one by one": times.at(-1) - times[0] > 300 };
}

async function join(stream, text) {
  let all = "";
  for await (const item of await stream) all += text(item) ?? "";
  return all;
}

async function openai() {
  const { default: OpenAI } = await load("openai");
  const made = (more) => new OpenAI({ baseURL: `${address}/v1`, apiKey: "sk-test", maxRetries: 0, ...more });
  const ours = made({});
  const chat = (model, more, of = ours, messages = turns) => of.chat.completions.create({ model, messages, ...more });
  const stream = { stream: true };
  const tools = [{ type: "function", function: { name: "weather", parameters } }];
  const respond = (model, more, input = turns) => ours.responses.create({ model, input, ...more });
  const history = [...turns, ...command];
  const cases = {
    models: async (got) => collect(ours.models.list(), got),
    embeddings: () => ours.embeddings.create({ model: "plain", input: "x" }),
    chat: () => chat("plain", { user: "someone", unknown_field: [1.5, null] }),
    "chat, tools": () => chat("tools", { tools }),
    "chat, retry": () => chat("flaky", {}, made({ maxRetries: 1 })),
    stream: (got) => collect(chat("plain", stream), got),
    "stream, usage": (got) => collect(chat("plain", { ...stream, stream_options: { include_usage: true } }), got),
    "stream, tools": async () => ours.chat.completions.stream({ model: "tools", messages: turns, tools }).finalMessage(),
    "stream, slow": (got) => collect(chat("slow", stream), got),
    "stream, paced": () => paced(chat("paced", stream)),
    "stream, error in it": (got) => collect(chat("broken", stream), got),
    "stream, cut": (got) => collect(chat("cut", stream), got),
    "20 streams, cut at once": () => cut(() => chat("cut-now", stream)),
    "left: stream": (got) => collect(chat("endless", stream), got, 3),
    "left: before a byte": () => chat("silent", stream, made({ timeout: 400 })),
    responses: () => respond("plain", { instructions: system }),
    "responses, tools": () => respond("tools"),
    "responses, stream": (got) => collect(respond("plain", stream), got),
    "responses, stream, tools": (got) => collect(respond("tools", stream), got),
    "responses, error in it": (got) => collect(respond("broken", stream), got),
    "left: responses": (got) => collect(respond("endless", stream), got, 3),
  };
  for (const name of failures) {
    cases[name] = () => chat(name);
    cases[`${name}, stream`] = (got) => collect(chat(name, stream), got);
  }
  const said = (chunk) => chunk.choices[0]?.delta.content;
  cases["command: chat"] = async () => (await chat("plain", {}, ours, history)).choices[0].message.content;
  cases["command: stream"] = () => join(chat("plain", stream, ours, history), said);
  cases["command: responses"] = async () => (await respond("plain", {}, history)).output_text;
  cases["after a command"] = async () => {
    const content = await cases["command: chat"]();
    const more = [{ role: "assistant", content }, { role: "user", content: "And now?" }];
    return chat("plain", {}, ours, [...history, ...more]);
  };
  return cases;
}

async function anthropic() {
  const { default: Anthropic } = await load("@anthropic-ai/sdk");
  const made = (more) => new Anthropic({ baseURL: address, apiKey: "sk-test", maxRetries: 0, ...more });
  const ours = made({});
  const ask = (model, more, of = ours, messages = [asked]) =>
    of.messages.create({ model, max_tokens: 64, system, messages, ...more });
  const stream = { stream: true };
  const tools = [{ name: "weather", input_schema: parameters }];
  const history = [asked, ...command];
  const cases = {
    messages: () => ask("plain", { metadata: { user_id: "someone" } }),
    "messages, tools": () => ask("tools", { tools }),
    "messages, retry": () => ask("flaky", {}, made({ maxRetries: 1 })),
    "count tokens": () => ours.messages.countTokens({ model: "plain", system, messages: [asked] }),
    stream: (got) => collect(ask("plain", stream), got),
    "stream, tools": () =>
      ours.messages.stream({ model: "tools", max_tokens: 64, system, messages: [asked], tools }).finalMessage(),
    "stream, slow": (got) => collect(ask("slow", stream), got),
    "stream, paced": () => paced(ask("paced", stream)),
    "stream, error in it": (got) => collect(ask("broken", stream), got),
    "stream, cut": (got) => collect(ask("cut", stream), got),
    "20 streams, cut at once": () => cut(() => ask("cut-now", stream)),
    "left: stream": (got) => collect(ask("endless", stream), got, 6),
    "left: before a byte": () => ask("silent", stream, made({ timeout: 400 })),
  };
  for (const name of [...failures, "error-529"]) {
    cases[name] = () => ask(name);
    cases[`${name}, stream`] = (got) => collect(ask(name, stream), got);
  }
  cases["command: messages"] = async () => (await ask("plain", {}, ours, history)).content[0].text;
  cases["command: stream"] = () => join(ask("plain", stream, ours, history), (event) => event.delta?.text);
  cases["after a command"] = async () => {
    const content = await cases["command: messages"]();
    const more = [{ role: "assistant", content }, { role: "user", content: "And now?" }];
    return ask("plain", {}, ours, [...history, ...more]);
  };
  return cases;
}

async function aiSdk() {
  const { generateText, streamText, jsonSchema, tool } = await load("ai");
  const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
  const provider = createOpenAICompatible({ name: "local", baseURL: `${address}/v1`, apiKey: "sk-test", includeUsage: true });
  const tools = { weather: tool({ inputSchema: jsonSchema(parameters) }) };
  const given = (model, more) =>
    ({ model: provider.chatModel(model), system, messages: [asked], maxRetries: 0, ...more });
  const calls = (result) => result.toolCalls.map(({ toolCallId, toolName, input }) => ({ toolCallId, toolName, input }));
  const plain = (r) =>
    ({ text: r.text, calls: calls(r), finish: r.finishReason, usage: r.usage, warnings: r.warnings, body: r.response.body });
  const generate = async (model, more) => plain(await generateText(given(model, more)));
  const parts = async (model, got, more, most) => {
    const leave = new AbortController();
    const result = streamText(given(model, { onError: () => {}, abortSignal: leave.signal, ...more }));
    for await (const part of result.fullStream) {
      // Without the time and the headers; the rest of a part is from the reply.
      const { response, request, error, ...rest } = part;
      got.push(error === undefined ? rest : { ...rest, error: error.name ? failure(error) : error });
      if (got.length === most) leave.abort();
      if (most && got.length >= most) break;
    }
    return got;
  };
  const history = { messages: [asked, ...command] };
  const cases = {
    chat: () => generate("plain"),
    "chat, tools": () => generate("tools", { tools }),
    "chat, retry": () => generate("flaky", { maxRetries: 1 }),
    stream: (got) => parts("plain", got),
    "stream, tools": (got) => parts("tools", got, { tools }),
    "stream, slow": (got) => parts("slow", got),
    "stream, paced": () => paced(streamText(given("paced")).textStream),
    "stream, error in it": (got) => parts("broken", got),
    "stream, cut": (got) => parts("cut", got),
    "left: stream": (got) => parts("endless", got, {}, 5),
    "left: before a byte": () => generate("silent", { abortSignal: AbortSignal.timeout(400) }),
  };
  for (const name of failures) {
    cases[name] = () => generate(name);
    cases[`${name}, stream`] = (got) => parts(name, got);
  }
  cases["command: chat"] = async () => (await generate("plain", history)).text;
  cases["command: stream"] = () => join(streamText(given("plain", history)).textStream, (text) => text);
  cases["after a command"] = async () => {
    const content = await cases["command: chat"]();
    return generate("plain", {
      messages: [...history.messages, { role: "assistant", content }, { role: "user", content: "And now?" }],
    });
  };
  return cases;
}

const cases = await { openai, "@anthropic-ai/sdk": anthropic, ai: aiSdk }[client]();
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (const [name, work] of Object.entries(cases)) {
  const got = [];
  let told;
  try {
    told = { result: await work(got) };
  } catch (error) {
    told = { before: got, raised: failure(error) };
  }
  console.log(JSON.stringify({ case: name, ...told }));
  // The runner looks at what the upstream saw before the next case.
  await lines.next();
}
process.exit(0);
