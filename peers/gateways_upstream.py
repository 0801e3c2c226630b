"""The model server that peers/gateways stands behind every gateway: one process, one thread, HTTP/1.1.

    gateways_upstream.py PORT

What it answers is written in the model's name, which every gateway forwards:
`plain` is a reply with a length; `frames-N-M` is a stream of N frames, one every M milliseconds. The first
is sent at once, after the headers and apart from them, as model servers do. A frame's text is its number and
the time at which it was sent (ns of the monotonic clock, which processes share).
"""

import collections
import heapq
import re
import selectors
import socket
import sys
import time

MODEL = re.compile(rb'"model"\s*:\s*"([^"]*)"')
LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.I)
FRAMES = re.compile(rb"(?:.*/)?frames-(\d+)-(\d+)$")

TEXT = "It sounds like a good day. What did you plant? " * 4
PLAIN = (
    '{"id":"c","object":"chat.completion","created":1,"model":"plain","choices":[{"index":0,"message":'
    '{"role":"assistant","content":"%s"},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":9,"completion_tokens":40,"total_tokens":49}}' % TEXT
).encode()
PLAIN = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(PLAIN)
    + PLAIN
)
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
DONE = b"data: [DONE]\n\n"
LAST = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
)


def frame(number, sent):
    """One event of a stream; `sent` in ns."""
    return (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
        b'[{"index":0,"delta":{"content":"#%d:%d; and so it went on"},"finish_reason":null}]}\n\n'
        % (number, sent)
    )


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


class Server:
    def __init__(self, port):
        self.poll = selectors.EpollSelector()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self.listener.setblocking(False)
        self.poll.register(self.listener, selectors.EVENT_READ)
        self.waiting = collections.defaultdict(bytes)
        # (when the next frame is due in ns, number of the connection, of the frame, frames, ns between)
        self.due = []
        self.open = {}

    def run(self):
        while True:
            timeout = None
            if self.due:
                # Rounded up to a millisecond: a frame may be late, but carries the time at which it was
                # sent. Looking all the time instead would keep a core from the gateway that has to forward it.
                timeout = max(0, (self.due[0][0] - time.perf_counter_ns()) / 1e9)
            for key, _ in self.poll.select(timeout):
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.read(key.fileobj)
            while self.due and self.due[0][0] <= time.perf_counter_ns():
                self.send_next(heapq.heappop(self.due))

    def accept(self):
        try:
            while True:
                stream, _ = self.listener.accept()
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.poll.register(stream, selectors.EVENT_READ)
                self.open[stream.fileno()] = stream
        except BlockingIOError:
            pass

    def close(self, stream):
        self.poll.unregister(stream)
        self.waiting.pop(stream.fileno(), None)
        self.open.pop(stream.fileno(), None)
        stream.close()

    def read(self, stream):
        try:
            data = stream.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            return self.close(stream)
        data = self.waiting.pop(stream.fileno(), b"") + data
        end = data.find(b"\r\n\r\n")
        length = LENGTH.search(data, 0, end) if end >= 0 else None
        if end < 0 or len(data) < end + 4 + (int(length[1]) if length else 0):
            self.waiting[stream.fileno()] = data
            return None
        model = MODEL.search(data, end)
        frames = FRAMES.match(model[1]) if model else None
        if not frames:
            return stream.sendall(PLAIN)
        stream.sendall(HEAD)
        count, every = int(frames[1]), int(frames[2]) * 1_000_000
        self.send_next((time.perf_counter_ns(), stream.fileno(), 0, count, every, stream))
        return None

    def send_next(self, entry):
        when, name, number, count, every, stream = entry
        if self.open.get(name) is not stream:
            return
        now = time.perf_counter_ns()
        try:
            if number < count:
                stream.sendall(chunk(frame(number, now)))
                heapq.heappush(self.due, (when + every, name, number + 1, count, every, stream))
            else:
                stream.sendall(chunk(LAST) + chunk(DONE) + b"0\r\n\r\n")
        except OSError:
            self.close(stream)


if __name__ == "__main__":
    Server(int(sys.argv[1])).run()
