"""Clients in Python, run by peers/clients: clients_python.py CLIENT PORT, one line of JSON per case."""

import asyncio
import json
import sys
import time

from upstream import TOOL

CLIENT, PORT = sys.argv[1], int(sys.argv[2])
ADDRESS = f"http://127.0.0.1:{PORT}"
SYSTEM, ASK = "Answer „briefly“.", "What is new?"
TURNS = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ASK}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
STATUS = "/driftlead status"
FAILURES = ["error-401", "error-429", "error-500"]


def failure(error):
    """What a client says of an error, as far as it is the same in every run."""
    told = {"error": type(error).__name__, "message": str(error)}
    for name in ("status_code", "code", "body", "type", "request_id"):
        if hasattr(error, name):
            told[name] = getattr(error, name)
    if getattr(error, "response", None) is not None:
        told["retry_after"] = error.response.headers.get("retry-after")
    cause = error.__cause__
    if cause is not None:
        told["cause"] = f"{type(cause).__name__}: {cause}"
    return told


def collect(stream, got, most=None):
    """The items of a stream, kept up to where it fails."""
    for item in stream:
        got.append(item.model_dump(mode="json") if hasattr(item, "model_dump") else item)
        if len(got) == most:
            return got
    return got


def cut(stream):
    """How many items come of streams that break off right behind the last, over twenty of them: every number seen."""
    seen = set()
    for _ in range(20):
        got = []
        try:
            collect(stream(), got)
            got.append("a proper end")
        except Exception:
            pass
        seen.add(len(got))
    return sorted(seen)


def paced(stream):
    """Whether the items of a stream came one after the other, not at its end."""
    times = []
    for _ in stream:
        times.append(time.monotonic())
    return {"items": len(times), "one by one": times[-1] - times[0] > 0.3}


def openai():
    import openai

    def client(**more):
        return openai.OpenAI(base_url=f"{ADDRESS}/v1", api_key="sk-test", **{"max_retries": 0, **more})

    tool = {"type": "function", "function": {"name": TOOL, "parameters": SCHEMA}}
    ours = client()

    def chat(model, turns=TURNS, of=ours, **more):
        return of.chat.completions.create(model=model, messages=turns, **more)

    def response(model, turns=TURNS, **more):
        return ours.responses.create(model=model, input=turns, **more)

    def streamed(model, got, **more):
        return collect(chat(model, stream=True, **more), got)

    def wrapper(model, got):
        with ours.chat.completions.stream(model=model, messages=TURNS, tools=[tool]) as stream:
            collect(stream, got)
            got.append(stream.get_final_completion().model_dump(mode="json"))
        return got

    def left(stream):
        with stream:
            return collect(stream, [], 3)

    history = TURNS + [{"role": "assistant", "content": "Little."}, {"role": "user", "content": STATUS}]

    def later(_):
        answer = chat("plain", history).choices[0].message.content
        turns = [{"role": "assistant", "content": answer}, {"role": "user", "content": "And now?"}]
        return chat("plain", history + turns).model_dump(mode="json")

    async def parallel():
        async def one(of):
            stream = await of.chat.completions.create(model="paced", messages=TURNS, stream=True)
            return [chunk.model_dump(mode="json") async for chunk in stream]

        async with openai.AsyncOpenAI(base_url=f"{ADDRESS}/v1", api_key="sk-test", max_retries=0) as of:
            return await asyncio.gather(*(one(of) for _ in range(20)))

    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    parts = TURNS[:1] + [{"role": "user", "content": [{"type": "text", "text": ASK}, image]}]
    yield "models", lambda _: collect(ours.models.list(), [])
    yield "embeddings", lambda _: ours.embeddings.create(model="plain", input="x").model_dump(mode="json")
    unknown = {"extra_body": {"unknown_field": [1.5, None]}, "extra_headers": {"x-mine": "kept"}}
    yield "chat", lambda _: chat("plain", user="someone", **unknown).model_dump(mode="json")
    yield "chat, no system text", lambda _: chat("plain", TURNS[1:]).model_dump(mode="json")
    yield "chat, an image", lambda _: chat("plain", parts).model_dump(mode="json")
    yield "chat, raw headers", lambda _: raw_headers(ours, TURNS)
    yield "chat, tools", lambda _: chat("tools", tools=[tool]).model_dump(mode="json")
    yield "chat, retry", lambda _: chat("flaky", of=client(max_retries=1)).model_dump(mode="json")
    yield "stream", lambda got: streamed("plain", got)
    yield "stream, usage", lambda got: streamed("plain", got, stream_options={"include_usage": True})
    yield "stream, tools", lambda got: wrapper("tools", got)
    yield "stream, slow", lambda got: streamed("slow", got)
    yield "stream, paced", lambda _: paced(chat("paced", stream=True))
    yield "stream, error in it", lambda got: streamed("broken", got)
    yield "stream, cut", lambda got: streamed("cut", got)
    yield "20 streams, cut at once", lambda _: cut(lambda: chat("cut-now", stream=True))
    yield "20 streams, in parallel", lambda _: asyncio.run(parallel())
    yield "left: stream", lambda _: left(chat("endless", stream=True))
    yield "left: before a byte", lambda _: chat("silent", of=client(timeout=0.4), stream=True)
    yield "responses", lambda _: response("plain", instructions=SYSTEM).model_dump(mode="json")
    yield "responses, tools", lambda _: response("tools").model_dump(mode="json")
    yield "responses, stream", lambda got: collect(response("plain", stream=True), got)
    yield "responses, stream, tools", lambda got: collect(response("tools", stream=True), got)
    yield "responses, error in it", lambda got: collect(response("broken", stream=True), got)
    yield "left: responses", lambda _: left(response("endless", stream=True))
    for case in FAILURES:
        yield case, lambda _, case=case: chat(case)
        yield f"{case}, stream", lambda got, case=case: streamed(case, got)
    yield "error-404, no such path", lambda _: ours.completions.create(model="plain", prompt="x")
    yield "error-500, responses", lambda _: response("error-500")
    yield "command: chat", lambda _: chat("plain", history).choices[0].message.content
    yield "command: stream", lambda _: "".join(
        chunk.choices[0].delta.content or "" for chunk in chat("plain", history, stream=True)
    )
    yield "command: responses", lambda _: response("plain", history).output_text
    yield "command: responses, stream", lambda _: "".join(
        event.delta for event in response("plain", history, stream=True) if event.type.endswith("text.delta")
    )
    yield "after a command", later


def raw_headers(ours, turns):
    raw = ours.chat.completions.with_raw_response.create(model="plain", messages=turns)
    ignored = {"connection", "transfer-encoding", "date", "server"}
    kept = {name: value for name, value in raw.headers.items() if name not in ignored}
    return {name: value for name, value in kept.items() if not name.startswith("x-driftlead-")}


def anthropic():
    import anthropic

    def client(**more):
        return anthropic.Anthropic(base_url=ADDRESS, api_key="sk-test", **{"max_retries": 0, **more})

    tool = {"name": TOOL, "input_schema": SCHEMA}
    ours = client()
    turns = TURNS[1:]

    def ask(model, of=ours, turns=turns, system=SYSTEM, **more):
        return of.messages.create(model=model, max_tokens=64, system=system, messages=turns, **more)

    def wrapper(model, got):
        with ours.messages.stream(
            model=model, max_tokens=64, system=SYSTEM, messages=turns, tools=[tool]
        ) as stream:
            collect(stream, got)
            got.append(stream.get_final_message().model_dump(mode="json"))
        return got

    def left(stream):
        with stream:
            return collect(stream, [], 6)

    history = turns + [{"role": "assistant", "content": "Little."}, {"role": "user", "content": STATUS}]

    def later(_):
        answer = ask("plain", turns=history).content[0].text
        more = [{"role": "assistant", "content": answer}, {"role": "user", "content": "And now?"}]
        return ask("plain", turns=history + more).model_dump(mode="json")

    yield "messages", lambda _: ask("plain", metadata={"user_id": "someone"}).model_dump(mode="json")
    parts = [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}]
    yield "messages, no system text", lambda _: ask("plain", system=anthropic.omit).model_dump(mode="json")
    yield "messages, system in parts", lambda _: ask("plain", system=parts).model_dump(mode="json")
    yield "messages, tools", lambda _: ask("tools", tools=[tool]).model_dump(mode="json")
    yield "messages, retry", lambda _: ask("flaky", of=client(max_retries=1)).model_dump(mode="json")
    yield "count tokens", lambda _: ours.messages.count_tokens(
        model="plain", system=SYSTEM, messages=turns
    ).model_dump(mode="json")
    yield "stream", lambda got: collect(ask("plain", stream=True), got)
    yield "stream, tools", lambda got: wrapper("tools", got)
    yield "stream, slow", lambda got: collect(ask("slow", stream=True), got)
    yield "stream, paced", lambda _: paced(ask("paced", stream=True))
    yield "stream, error in it", lambda got: collect(ask("broken", stream=True), got)
    yield "stream, cut", lambda got: collect(ask("cut", stream=True), got)
    yield "20 streams, cut at once", lambda _: cut(lambda: ask("cut-now", stream=True))
    yield "left: stream", lambda _: left(ask("endless", stream=True))
    yield "left: before a byte", lambda _: ask("silent", of=client(timeout=0.4), stream=True)
    for case in [*FAILURES, "error-529"]:
        yield case, lambda _, case=case: ask(case)
        yield f"{case}, stream", lambda got, case=case: collect(ask(case, stream=True), got)
    yield "command: messages", lambda _: ask("plain", turns=history).content[0].text
    yield "command: stream", lambda _: "".join(
        event.delta.text for event in ask("plain", turns=history, stream=True) if event.type == "content_block_delta"
    )
    yield "after a command", later


def langchain():
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    def model(name, **more):
        given = {"base_url": f"{ADDRESS}/v1", "api_key": "sk-test", "max_retries": 0, **more}
        return ChatOpenAI(model=name, **given)

    turns = [SystemMessage(SYSTEM), HumanMessage(ASK)]
    tool = {"type": "function", "function": {"name": TOOL, "description": "", "parameters": SCHEMA}}

    def plain(message):
        """Without the number of the run."""
        return message.model_dump(mode="json", exclude={"id"})

    def streamed(of, got, turns=turns):
        for chunk in of.stream(turns):
            got.append(plain(chunk))
        return got

    def left(of):
        stream, got = of.stream(turns), []
        for chunk in stream:
            got.append(plain(chunk))
            if len(got) == 3:
                break
        stream.close()
        return got

    history = turns + [AIMessage("Little."), HumanMessage(STATUS)]

    def later(_):
        answer = model("plain").invoke(history).content
        return plain(model("plain").invoke([*history, AIMessage(answer), HumanMessage("And now?")]))

    embeddings = OpenAIEmbeddings(
        model="plain", base_url=f"{ADDRESS}/v1", api_key="sk-test", check_embedding_ctx_length=False
    )
    yield "embeddings", lambda _: embeddings.embed_query("x")
    yield "chat", lambda _: plain(model("plain").invoke(turns))
    yield "chat, tools", lambda _: plain(model("tools").bind_tools([tool]).invoke(turns))
    yield "chat, retry", lambda _: plain(model("flaky", max_retries=1).invoke(turns))
    yield "stream", lambda got: streamed(model("plain"), got)
    yield "stream, usage", lambda got: streamed(model("plain", stream_usage=True), got)
    yield "stream, tools", lambda got: streamed(model("tools").bind_tools([tool]), got)
    yield "stream, slow", lambda got: streamed(model("slow"), got)
    yield "stream, paced", lambda _: paced(model("paced").stream(turns))
    yield "stream, error in it", lambda got: streamed(model("broken"), got)
    yield "stream, cut", lambda got: streamed(model("cut"), got)
    yield "left: stream", lambda _: left(model("endless"))
    yield "left: before a byte", lambda got: streamed(model("silent", timeout=0.4), got)
    yield "responses", lambda _: plain(model("plain", use_responses_api=True).invoke(turns))
    yield "responses, stream", lambda got: streamed(model("plain", use_responses_api=True), got)
    for case in FAILURES:
        yield case, lambda _, case=case: plain(model(case).invoke(turns))
        yield f"{case}, stream", lambda got, case=case: streamed(model(case), got)
    yield "command: chat", lambda _: model("plain").invoke(history).content
    yield "command: stream", lambda _: "".join(chunk.text for chunk in model("plain").stream(history))
    yield "after a command", later


def llm():
    import os
    import pathlib
    import subprocess

    names = ["plain", "slow", "broken", "cut", "error-401", "error-500", "flaky"]
    folder = pathlib.Path("llm")
    folder.mkdir()
    # JSON is YAML too.
    models = [{"model_id": name, "model_name": name, "api_base": f"{ADDRESS}/v1"} for name in names]
    (folder / "extra-openai-models.yaml").write_text(json.dumps(models))
    environment = {**os.environ, "LLM_USER_PATH": str(folder.absolute())}

    def run(model, *more, ask=ASK):
        command = [str(pathlib.Path(sys.executable).with_name("llm")), "prompt", "-m", model, "-s", SYSTEM]
        command += ["--key", "sk-test", "--no-log", "-u", *more, ask]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return {"status": ended.returncode, "stdout": ended.stdout, "stderr": ended.stderr}

    def answer(*more):
        told = run("plain", *more, ask=STATUS)
        return told["stdout"] or told["stderr"]

    yield "chat", lambda _: run("plain", "--no-stream")
    yield "chat, retry", lambda _: run("flaky", "--no-stream")
    yield "stream", lambda _: run("plain")
    yield "stream, slow", lambda _: run("slow")
    yield "stream, error in it", lambda _: run("broken")
    yield "stream, cut", lambda _: run("cut")
    yield "error-401", lambda _: run("error-401", "--no-stream")
    yield "error-500, stream", lambda _: run("error-500")
    yield "command: chat", lambda _: answer("--no-stream")
    yield "command: stream", lambda _: answer()


def main():
    cases = {"openai": openai, "anthropic": anthropic, "langchain-openai": langchain, "llm": llm}[CLIENT]()
    for name, work in cases:
        got, told = [], {}
        try:
            told["result"] = work(got)
        except Exception as error:  # Whatever a client raises is a result.
            told["before"], told["raised"] = got, failure(error)
        print(json.dumps({"case": name, **told}, ensure_ascii=False, default=str), flush=True)
        # The runner looks at what the upstream saw before the next case.
        sys.stdin.readline()


main()
