"""A scripted model server: it speaks OpenAI's chat, Responses, embeddings and models, and Anthropic's messages.

The model named in a request says what happens, so that any client can ask for any case:

plain      a reply with usage, unknown fields and text beyond ASCII
tools      two calls of a tool
error-N    the status N with an error body
broken     an error in the middle of a stream
cut        a stream that breaks off without an end, a tenth of a second after its last event
cut-now    the same without waiting
slow       half a second before the first byte
paced      a sixth of a second between the events
endless    a stream that only the client ends
silent     nothing, until the client goes away
flaky      503 at the first request, then as plain

Every request is kept as it came (`Upstream.seen`). No random numbers, no clock in a reply.
"""

import json
import select
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXT = ["Hello", ", wörld", " 🙂", ".\nA second line."]
CALLS = [("call_1", {"city": "Zürich"}), ("call_2", {"city": "Lima", "days": 2})]
TOOL = "weather"
LONGEST = 20.0


def pieces(arguments):
    """The arguments of a call, in fragments."""
    text = json.dumps(arguments, ensure_ascii=False)
    return [text[at : at + 7] for at in range(0, len(text), 7)]


def error_body(path, status):
    kinds = {401: "authentication_error", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}
    kind = kinds.get(status, "server_error")
    message = f"Scripted {status}: naïve “quote”"
    if path == "/v1/messages":
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_body"}
    return {"error": {"message": message, "type": kind, "param": None, "code": f"code_{status}"}}


class Chat:
    """OpenAI's chat completions."""

    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}

    @classmethod
    def whole(cls, model):
        message = {"role": "assistant", "content": "".join(TEXT), "refusal": None}
        finish = "stop"
        if model == "tools":
            message["content"] = None
            message["tool_calls"] = [
                {"id": id, "type": "function", "function": {"name": TOOL, "arguments": "".join(pieces(given))}}
                for id, given in CALLS
            ]
            finish = "tool_calls"
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": cls.usage,
            "unknown_field": {"kept": [1.50, None, "x"]},
        }

    @classmethod
    def events(cls, model, request):
        def chunk(delta, finish=None, **more):
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": model}
            return None, {**head, "choices": [choice], **more}

        yield chunk({"role": "assistant", "content": ""})
        if model == "tools":
            for index, (id, given) in enumerate(CALLS):
                named = {"name": TOOL, "arguments": ""}
                yield chunk({"tool_calls": [{"index": index, "id": id, "type": "function", "function": named}]})
                for piece in pieces(given):
                    yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        else:
            for text in TEXT:
                yield chunk({"content": text}, unknown_field="kept")
        yield chunk({}, "tool_calls" if model == "tools" else "stop")
        if (request.get("stream_options") or {}).get("include_usage"):
            head = chunk({})[1]
            yield None, {**head, "choices": [], "usage": cls.usage}
        yield None, "[DONE]"

    @staticmethod
    def failure():
        return None, {"error": {"message": "Scripted failure", "type": "server_error", "param": None, "code": "broke"}}


class Responses:
    """OpenAI's Responses."""

    @classmethod
    def whole(cls, model, status="completed"):
        if model == "tools":
            output = [cls.call(id, "".join(pieces(given)), "completed") for id, given in CALLS]
        else:
            output = [cls.message("".join(TEXT), "completed")]
        done = status == "completed"
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 1700000000,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": model,
            "output": output if done else [],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": {
                "input_tokens": 11,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 7,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 18,
            }
            if done
            else None,
            "unknown_field": {"kept": [1.50, None, "x"]},
        }

    @staticmethod
    def message(text, status):
        content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
        return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}

    @staticmethod
    def call(id, arguments, status):
        return {
            "id": f"fc_{id}", "type": "function_call", "call_id": id,
            "name": TOOL, "arguments": arguments, "status": status,
        }  # fmt: skip

    @classmethod
    def events(cls, model, _request):
        number = 0

        def event(kind, **more):
            nonlocal number
            number += 1
            return kind, {"type": kind, "sequence_number": number - 1, **more}

        yield event("response.created", response=cls.whole(model, "in_progress"))
        if model == "tools":
            for index, (id, given) in enumerate(CALLS):
                yield event("response.output_item.added", output_index=index, item=cls.call(id, "", "in_progress"))
                place = {"item_id": f"fc_{id}", "output_index": index}
                for piece in pieces(given):
                    yield event("response.function_call_arguments.delta", **place, delta=piece)
                whole = "".join(pieces(given))
                yield event("response.function_call_arguments.done", **place, name=TOOL, arguments=whole)
                yield event("response.output_item.done", output_index=index, item=cls.call(id, whole, "completed"))
        else:
            place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
            part = {"type": "output_text", "text": "", "annotations": []}
            yield event("response.output_item.added", output_index=0, item=cls.message("", "in_progress"))
            yield event("response.content_part.added", **place, part=part)
            for text in TEXT:
                yield event("response.output_text.delta", **place, delta=text, logprobs=[])
            whole = "".join(TEXT)
            yield event("response.output_text.done", **place, text=whole, logprobs=[])
            yield event("response.content_part.done", **place, part={**part, "text": whole})
            yield event("response.output_item.done", output_index=0, item=cls.message(whole, "completed"))
        yield event("response.completed", response=cls.whole(model))

    @staticmethod
    def failure():
        return "error", {
            "type": "error", "sequence_number": 9, "code": "broke", "message": "Scripted failure", "param": None,
        }  # fmt: skip


class Messages:
    """Anthropic's messages."""

    @staticmethod
    def whole(model):
        content = [{"type": "text", "text": "".join(TEXT)}]
        if model == "tools":
            content += [{"type": "tool_use", "id": id, "name": TOOL, "input": given} for id, given in CALLS]
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": "tool_use" if model == "tools" else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 11, "output_tokens": 7},
            "unknown_field": {"kept": [1.50, None, "x"]},
        }

    @classmethod
    def events(cls, model, _request):
        def event(kind, **more):
            return kind, {"type": kind, **more}

        whole = cls.whole(model)
        start = {**whole, "content": [], "stop_reason": None, "usage": {"input_tokens": 11, "output_tokens": 1}}
        yield event("message_start", message=start)
        yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield event("ping")
        for text in TEXT:
            yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
        yield event("content_block_stop", index=0)
        for index, (id, given) in enumerate(CALLS if model == "tools" else [], 1):
            block = {"type": "tool_use", "id": id, "name": TOOL, "input": {}}
            yield event("content_block_start", index=index, content_block=block)
            for piece in pieces(given):
                delta = {"type": "input_json_delta", "partial_json": piece}
                yield event("content_block_delta", index=index, delta=delta)
            yield event("content_block_stop", index=index)
        delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield event("message_delta", delta=delta, usage={"output_tokens": 7})
        yield event("message_stop")

    @staticmethod
    def failure():
        return "error", {"type": "error", "error": {"type": "overloaded_error", "message": "Scripted failure"}}


DIALECTS = {"/v1/chat/completions": Chat, "/v1/responses": Responses, "/v1/messages": Messages}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.partition("?")[0]
        seen = {"method": self.command, "path": self.path, "headers": self.headers.items(), "body": body, "left": None}
        self.server.seen.append(seen)
        request = json.loads(body) if body else {}
        model = request.get("model", "plain")
        try:
            self.play(path, request, model)
        except OSError:
            seen["left"] = time.monotonic()
            self.close_connection = True

    def play(self, path, request, model):
        if model == "flaky" and not self.server.flaked:
            self.server.flaked = True
            return self.say(503, error_body(path, 503), {"retry-after-ms": "20"})
        if model.startswith("error-"):
            status = int(model.partition("-")[2])
            more = {"retry-after": "7"} if status == 429 else {}
            return self.say(status, error_body(path, status), more)
        if model in ("slow", "silent"):
            self.wait(0.5 if model == "slow" else LONGEST)
        if path == "/v1/models":
            models = [{"id": f"m-{n}", "object": "model", "created": n, "owned_by": "x"} for n in range(3)]
            return self.say(200, {"object": "list", "data": models})
        if path == "/v1/embeddings":
            # [0.5, -2.0, 0.25], little-endian f32 in base64, or as numbers.
            base64 = request.get("encoding_format") == "base64"
            vector = "AAAAPwAAAMAAAIA+" if base64 else [0.5, -2.0, 0.25]
            data = [{"object": "embedding", "index": 0, "embedding": vector}]
            usage = {"prompt_tokens": 3, "total_tokens": 3}
            return self.say(200, {"object": "list", "data": data, "model": model, "usage": usage})
        if path == "/v1/messages/count_tokens":
            return self.say(200, {"input_tokens": 11})
        dialect = DIALECTS.get(path)
        if dialect is None:
            return self.say(404, error_body(path, 404))
        if not request.get("stream"):
            return self.say(200, dialect.whole(model))
        return self.stream(dialect, model, request)

    def wait(self, seconds):
        """Waits; a client that goes away meanwhile ends it."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if readable and not self.connection.recv(1, socket.MSG_PEEK):
            raise ConnectionResetError

    def head(self, status, kind, more):
        self.send_response_only(status)
        headers = {"content-type": kind, "x-request-id": "req_1", "request-id": "req_1", "x-unknown": "kept", **more}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def say(self, status, value, more=None):
        body = json.dumps(value, ensure_ascii=False).encode()
        self.head(status, "application/json", {**(more or {}), "content-length": str(len(body))})
        self.wfile.write(body)

    def stream(self, dialect, model, request):
        self.head(200, "text/event-stream; charset=utf-8", {"transfer-encoding": "chunked"})
        events = list(dialect.events(model, request))
        if model == "endless":
            # The longest run of events that may come any number of times: those of the text.
            text = next(event for event in events if "Hello" in json.dumps(event[1]))
            events = events[: events.index(text)] + [text] * int(LONGEST / 0.01)
        for number, (kind, value) in enumerate(events):
            if number == 4 and model in ("cut", "cut-now"):
                self.wait(0.1 if model == "cut" else 0)
                self.close_connection = True
                return
            if number == 4 and model == "broken":
                self.event(*dialect.failure())
                break
            self.event(kind, value)
            if model == "paced":
                self.wait(0.16)
            if model == "endless":
                self.wait(0.01)
        self.wfile.write(b"0\r\n\r\n")

    def event(self, kind, value):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        frame = (f"event: {kind}\n" if kind else "") + f"data: {text}\n\n"
        frame = frame.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))


class Upstream(ThreadingHTTPServer):
    """Listens on a free port of loopback, in threads of its own, until it is shut down."""

    daemon_threads = True
    # Connections that wait to be taken; the default, 5, refuses clients that come together.
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.forget()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def forget(self):
        self.seen = []
        self.flaked = False

    def handle_error(self, _request, _address):
        """A connection that a client breaks off between requests is nothing to report."""
