"""The client of peers/gateways: plain sockets, so that what it costs itself is some microseconds and the same
for every gateway."""

import re
import selectors
import socket
import time

from gateways_upstream import DONE, LAST, frame

FRAME = re.compile(rb"#(\d+):(\d+);")
# Requests of one conversation.
EXCHANGES = 10
TURN = "It rained all day and we stayed in and talked about the garden for a while."


class Body:
    """Reads one reply of HTTP/1.1 from the pieces as they come: `text` is the body so far without chunk lines."""

    def __init__(self):
        self.raw = b""
        self.text = bytearray()
        self.done = False
        self.status = None
        self.left = None

    def feed(self, data):
        self.raw += data
        if self.status is None:
            end = self.raw.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.raw[:end].lower()
            self.raw = self.raw[end + 4 :]
            self.status = int(head[9:12])
            length = re.search(rb"\r\ncontent-length:\s*(\d+)", head)
            self.chunked = b"\r\ntransfer-encoding: chunked" in head
            self.left = int(length[1]) if length else 0
        if not self.chunked:
            self.text += self.raw
            self.left -= len(self.raw)
            self.raw = b""
            self.done = self.left <= 0
            return
        while not self.done:
            line = self.raw.find(b"\r\n")
            if line < 0:
                return
            size = int(self.raw[:line].split(b";")[0], 16)
            if len(self.raw) < line + 2 + size + 2:
                return
            self.text += self.raw[line + 2 : line + 2 + size]
            self.raw = self.raw[line + 2 + size + 2 :]
            self.done = size == 0


class Target:
    """An address to ask, and the headers that it needs."""

    def __init__(self, port, headers=""):
        self.port = port
        self.headers = f"x-driftlead-subject: someone\r\nauthorization: Bearer none\r\n{headers}"

    def connect(self):
        stream = socket.create_connection(("127.0.0.1", self.port))
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.settimeout(60)
        return stream

    def request(self, path, body):
        return (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\n{self.headers}"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def chat(self, model, size, number, exchange=0):
        """The request of one exchange, from 0, of conversation `number`: a history, of about `size` bytes at its
        middle, and a newest turn. The client names no conversation, so that a gateway has to find it."""
        older = max(0, (size - 200) // 230 - EXCHANGES // 2)
        said = [f"{TURN} That was {number}." if turn == 0 else TURN for turn in range(older)]
        said += [f"{TURN} For the {number}th time, {turn}." for turn in range(exchange + 1)]
        turns = ",".join(
            f'{{"role":"user","content":"{words}"}},{{"role":"assistant","content":"{TURN}"}}'
            for words in said[:-1]
        )
        turns += f'{"," if turns else ""}{{"role":"user","content":"{said[-1]}"}}'
        stream = ',"stream":true' if model != "plain" else ""
        return self.request("/v1/chat/completions", f'{{"model":"{model}"{stream},"messages":[{turns}]}}')

    def ask(self, path, body):
        """Status and body of one request on a connection of its own."""
        with self.connect() as stream:
            stream.sendall(self.request(path, body))
            reply = read(stream)
            return reply.status, bytes(reply.text)


def read(stream, first=None):
    """Reads one reply. `first` is called after every piece."""
    reply = Body()
    while not reply.done:
        data = stream.recv(1 << 17)
        if not data:
            raise ConnectionError("the reply broke off")
        reply.feed(data)
        if first:
            first(reply)
    return reply


def check(reply, wanted):
    if reply.status != 200 or wanted not in reply.text:
        raise RuntimeError(f"unexpected reply: {reply.status} {bytes(reply.text[:300])!r}")


def plain(target, size, requests, seconds, start):
    """Times of single requests on one connection, µs: of all, and of those that begin a conversation. The first
    conversation opens what is behind the gateway."""
    times, begins = [], []
    with target.connect() as stream:
        end = None
        for number in range(-EXCHANGES, requests):
            request = target.chat("plain", size, *conversation(start, number))
            before = time.perf_counter_ns()
            stream.sendall(request)
            reply = read(stream)
            after = time.perf_counter_ns()
            check(reply, b"What did you plant?")
            if number >= 0:
                times.append((after - before) / 1e3)
                if number % EXCHANGES == 0:
                    begins.append(times[-1])
                if after > end:
                    break
            else:
                end = after + seconds * 1e9
    return times, begins


def conversation(start, number):
    """Conversation and exchange of request `number`, which may be negative."""
    return start + number // EXCHANGES + 1, number % EXCHANGES


def first_frames(target, requests, seconds, start):
    """Times to the first frame of short streams, one after another on one connection, µs."""
    times = []
    with target.connect() as stream:
        end = None
        for number in range(-EXCHANGES, requests):
            request = target.chat("frames-1-1", 2_000, *conversation(start, number))
            seen = []

            def first(reply):
                if not seen and FRAME.search(reply.text):
                    seen.append(time.perf_counter_ns())

            before = time.perf_counter_ns()
            stream.sendall(request)
            check(read(stream, first), b"[DONE]")
            if number >= 0:
                times.append((seen[0] - before) / 1e3)
                if seen[0] > end:
                    break
            else:
                end = time.perf_counter_ns() + seconds * 1e9
    return times


class Stream:
    """The frames of one stream and when they came."""

    def __init__(self):
        self.body = Body()
        self.at = 0
        # Per frame: number, when it was sent and when it came, ns.
        self.frames = []

    def feed(self, data, now):
        self.body.feed(data)
        for found in FRAME.finditer(self.body.text, self.at):
            self.frames.append((int(found[1]), int(found[2]), now))
            self.at = found.end()

    def excess(self):
        """By how much each gap between frames differs from the gap with which they were sent, µs."""
        late = [came - sent for _, sent, came in self.frames]
        return [abs(b - a) / 1e3 for a, b in zip(late, late[1:])]

    def delays(self):
        """From sending to arrival, per frame, µs."""
        return [(came - sent) / 1e3 for _, sent, came in self.frames]

    def faults(self, count):
        """What is wrong with a stream that should have `count` frames and be as it was sent, byte for byte."""
        numbers = [number for number, _, _ in self.frames]
        events = [event + b"\n\n" for event in bytes(self.body.text).split(b"\n\n")][:-1]
        sent = [frame(number, sent) for number, sent, _ in self.frames] + [LAST, DONE]
        return {
            "lost": len(set(range(count)) - set(numbers)),
            "doubled": len(numbers) - len(set(numbers)),
            "reordered": sum(b < a for a, b in zip(numbers, numbers[1:])),
            "merged": sum(len(FRAME.findall(event)) > 1 for event in events),
            "changed": int(b"".join(sent) != bytes(self.body.text)),
        }


def one_stream(target, frames, every, start):
    """One stream of `frames` frames, one every `every` ms."""
    result = Stream()
    with target.connect() as stream:
        stream.sendall(target.chat(f"frames-{frames}-{every}", 2_000, start))
        while not result.body.done:
            data = stream.recv(1 << 17)
            if not data:
                raise ConnectionError("the stream broke off")
            result.feed(data, time.perf_counter_ns())
    check(result.body, b"[DONE]")
    if len(result.frames) != frames:
        raise RuntimeError(f"{len(result.frames)} frames of {frames}")
    return result


class Idle:
    """`count` streams that have sent one frame and then wait: open inside `with`."""

    def __init__(self, target, count):
        self.target, self.count = target, count

    def __enter__(self):
        self.streams = []
        for number in range(self.count):
            stream = self.target.connect()
            stream.sendall(self.target.chat("frames-2-600000", 2_000, number))
            self.streams.append(stream)
        for stream in self.streams:
            seen = Stream()
            while not seen.frames:
                data = stream.recv(1 << 16)
                if not data or (seen.body.status or 200) != 200:
                    raise ConnectionError("an idle stream broke off")
                seen.feed(data, 0)
        return self

    def __exit__(self, *_):
        for stream in self.streams:
            stream.close()


def many(target, count, frames, every, while_open=None):
    """`count` concurrent streams of `frames` frames, one every `every` ms each, begun evenly over one such time.

    Gives the streams and their times to the first frame in µs; one that broke off has fewer frames.
    `while_open` is called once, when half of the time is over.
    """
    poll = selectors.EpollSelector()
    streams = [Stream() for _ in range(count)]
    begun, first = [0] * count, []
    start = time.perf_counter_ns()
    # Streams begin within a second at least: a burst of connections is another question.
    step = max(every * 1e6, 1e9) / count
    half = start + (frames * every * 1e6 + step * count) / 2
    limit = start + step * count + frames * every * 1e6 + 30e9
    opened, alive = 0, 0
    while opened < count or alive:
        now = time.perf_counter_ns()
        if now > limit:
            break
        if while_open and now > half:
            while_open()
            while_open = None
        while opened < count and now >= start + step * opened:
            stream = target.connect()
            stream.setblocking(False)
            poll.register(stream, selectors.EVENT_READ, opened)
            request = target.chat(f"frames-{frames}-{every}", 500, opened)
            begun[opened] = time.perf_counter_ns()
            stream.send(request)
            opened, alive = opened + 1, alive + 1
        for key, _ in poll.select(0.001 if opened < count else 1):
            try:
                data = key.fileobj.recv(1 << 16)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            now = time.perf_counter_ns()
            stream = streams[key.data]
            if data:
                before = len(stream.frames)
                stream.feed(data, now)
                if not before and stream.frames:
                    first.append((now - begun[key.data]) / 1e3)
            if not data or stream.body.done:
                poll.unregister(key.fileobj)
                key.fileobj.close()
                alive -= 1
    poll.close()
    return streams, first
