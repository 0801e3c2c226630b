"""A real model server and a real chat application through the gateway and without it; see peers/README.md.

servers.py BINARY VENV MODULES
"""

import contextlib
import http.client
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from upstream import Upstream

HERE = pathlib.Path(__file__).resolve().parent
BINARY, VENV, MODULES = (str(pathlib.Path(given).absolute()) for given in sys.argv[1:4])
WAYS = ("no policy", "transparent", "monitored")
CHAT = "/v1/chat/completions"
# Asked for by the policy `monitored`, so that the prompt gets longer.
GOVERNED = "monitored"
# What a server makes up anew for every reply.
OWN = ("id", "created")
LEFT_WITHIN = 3.0


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def program(command, home, until):
    """A program that runs until the block ends; `until` says whether it is ready."""
    log = pathlib.Path(home, "said.txt")
    with open(log, "w") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, cwd=home, env={"PATH": "/usr/bin:/bin", "HOME": str(home)}
        )
    try:
        end = time.monotonic() + 300
        while not until(log.read_text()):
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{command[:4]} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(port, path):
    def ready(_):
        try:
            return exchange(port, "GET", path)[0] == 200
        except OSError:
            return False

    return ready


def exchange(port, method, path, body=None, headers=None):
    """Status and body of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    given = {"content-type": "application/json", **(headers or {})}
    connection.request(method, path, None if body is None else json.dumps(body), given)
    reply = connection.getresponse()
    whole = reply.read()
    connection.close()
    return reply.status, whole


@contextlib.contextmanager
def gateway(way, upstream_port):
    """The gateway on free ports, in front of a server; its port."""
    with tempfile.TemporaryDirectory() as home:
        command = [BINARY, "gate", "--upstream", f"http://127.0.0.1:{upstream_port}"]
        command += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", f"{home}/gate"]
        if way != "no policy":
            command += ["--policy", way]
        said = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
        with program(command, home, said.search):
            yield int(said.search(pathlib.Path(home, "said.txt").read_text())[1])
        if way != "no policy":
            verified = subprocess.run([BINARY, "verify", f"{home}/gate"], capture_output=True)
            if verified.returncode:
                sys.exit(f"{way}: the log does not verify: {verified.stderr.decode()}")


def without_own(value):
    if isinstance(value, dict):
        return {key: without_own(part) for key, part in value.items() if key not in OWN}
    return [without_own(part) for part in value] if isinstance(value, list) else value


def parsed(status, body):
    """A reply as what it says: JSON, or the data of its events in their order."""
    text = body.decode()
    if text.startswith("data:") or text.startswith(": "):
        data = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
        events = [entry if entry == "[DONE]" else without_own(json.loads(entry)) for entry in data]
        return status, events
    try:
        return status, without_own(json.loads(text))
    except ValueError:
        return status, text


def question(words, **more):
    messages = [{"role": "system", "content": "Talk."}, {"role": "user", "content": words}]
    return {"model": "tiny.gguf", "messages": messages, "temperature": 0, "seed": 7, "max_tokens": 24, **more}


def model_cases(port):
    """What the model server answers: case -> reply."""
    cases = {
        "models": ("GET", "/v1/models", None),
        "chat": ("POST", CHAT, question("What did you hear of it?")),
        "chat, stream": ("POST", CHAT, question("What did you hear of it?", stream=True)),
        "chat, stop word": ("POST", CHAT, question("and then?", stop=["."])),
        "too long": ("POST", CHAT, question("the " * 2000)),
        "no such path": ("POST", "/v1/responses", {"model": "tiny.gguf", "input": "x"}),
    }
    return {name: parsed(*exchange(port, *asked)) for name, asked in cases.items()}


def governed_prompt(one, other, name):
    """Under `monitored` the model reads more, and so it says something else: the same kind of reply."""
    (status, direct), (through_status, through) = one, other
    if status != through_status:
        return f"status {status} directly, {through_status} through the gateway"
    if name == "chat, stream":
        good = through and through[-1] == "[DONE]" and all("choices" in part for part in through[:-1])
        return None if good else f"not a whole stream: {through[-2:]}"
    if name.startswith("chat"):
        before, after = direct["usage"]["prompt_tokens"], through["usage"]["prompt_tokens"]
        return None if after > before else f"the prompt has {before} tokens directly, {after} through the gateway"
    if name == "too long":
        # The message counts the tokens, which are more.
        return None if through.keys() == direct.keys() else f"{direct} directly, {through} through the gateway"
    return None if direct == through else f"{direct} directly, {through} through the gateway"


def compare(findings, where, way, straight, through):
    """One line of the table per case."""
    for name, one in straight.items():
        other = through.get(name)
        if way == GOVERNED and where == "llama.cpp":
            found = governed_prompt(one, other, name)
        else:
            found = None if one == other else f"{str(one)[:300]} directly, {str(other)[:300]} through the gateway"
        print(f"{where:<24}{name:<22}{way:<14}{'different' if found else 'same'}")
        if found:
            findings.append(f"{where}, {name}, {way}: {found}")


class Tavern:
    """SillyTavern's server, which pipes between its page and a server of the user's choice."""

    def __init__(self, port, upstream_port, model):
        self.port, self.model = port, model
        self.common = {
            "chat_completion_source": "custom",
            "custom_url": f"http://127.0.0.1:{upstream_port}/v1",
            "custom_include_headers": "x-driftlead-subject: alice",
            "custom_include_body": "user: alice",
        }

    def request(self, stream, model=None):
        return {
            **self.common,
            "model": model or self.model,
            "messages": [{"role": "user", "content": "What did you hear of it?"}],
            "temperature": 0,
            "seed": 7,
            "max_tokens": 24,
            "stream": stream,
        }

    def ask(self, stream):
        path = "/api/backends/chat-completions/generate"
        return parsed(*exchange(self.port, "POST", path, self.request(stream)))

    def cases(self):
        status = exchange(self.port, "POST", "/api/backends/chat-completions/status", self.common)
        return {"status": parsed(*status), "generate": self.ask(False), "generate, stream": self.ask(True)}

    def leave(self, scripted):
        """Leaves an endless stream after its first bytes; whether the server was left too."""
        scripted.forget()
        body = json.dumps(self.request(True, "endless"))
        head = (
            "POST /api/backends/chat-completions/generate HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as page:
            page.sendall((head + body).encode())
            first = page.recv(4096)
        until = time.monotonic() + LEFT_WITHIN
        while time.monotonic() < until:
            if scripted.seen and all(request["left"] for request in scripted.seen):
                return bool(first), "the server was left"
            time.sleep(0.01)
        return bool(first), "the server was not left"


@contextlib.contextmanager
def tavern():
    """SillyTavern, headless, with a fresh folder; its port."""
    package = pathlib.Path(MODULES, "node_modules", "sillytavern")
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        config = pathlib.Path(home, "config.yaml")
        shutil.copy(package / "default" / "config.yaml", config)
        command = [shutil.which("node"), "server.js", "--dataRoot", f"{home}/data", "--configPath", str(config)]
        command += ["--port", str(port), "--disableCsrf", "true", "--browserLaunchEnabled", "false"]
        log = pathlib.Path(home, "said.txt")
        with open(log, "w") as said:
            process = subprocess.Popen(command, cwd=package, stdout=said, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + 300
            while not answers(port, "/version")(None):
                if process.poll() is not None or time.monotonic() > end:
                    sys.exit(f"SillyTavern did not start: {log.read_text()[-2000:]}")
                time.sleep(0.5)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def through_the_tavern(findings, model_port):
    """SillyTavern in front of two servers, straight and through the gateway; then one that leaves."""
    checks, scripted = 0, Upstream()
    # What the model of random weights says under `monitored` is another noise, so there only the scripted server
    # can be compared.
    servers = [("scripted", scripted.port, "plain", WAYS), ("llama.cpp", model_port, "tiny.gguf", WAYS[:2])]
    with tavern() as port:
        for name, server, model, ways in servers:
            straight = Tavern(port, server, model).cases()
            if straight["generate"][0] != 200:
                sys.exit(f"SillyTavern and {name} do not work without the gateway: {straight}")
            for way in ways:
                with gateway(way, server) as gate:
                    through = Tavern(port, gate, model).cases()
                    compare(findings, f"SillyTavern, {name}", way, straight, through)
                    checks += len(straight)
        alone = Tavern(port, scripted.port, "endless").leave(scripted)
        if alone != (True, "the server was left"):
            sys.exit(f"SillyTavern does not leave its server without the gateway: {alone}")
        for way in WAYS:
            with gateway(way, scripted.port) as gate:
                left = Tavern(port, gate, "endless").leave(scripted)
                compare(findings, "SillyTavern, scripted", way, {"leaves": alone}, {"leaves": left})
                headers = {name.lower() for request in scripted.seen for name, _ in request["headers"]}
                if "x-driftlead-subject" in headers:
                    findings.append(f"SillyTavern, {way}: the server saw who is writing")
                checks += 2
    return checks


def main():
    findings, checks = [], 0
    with tempfile.TemporaryDirectory() as home:
        model = pathlib.Path(home, "tiny.gguf")
        subprocess.run([f"{VENV}/bin/python", str(HERE / "tiny_gguf.py"), str(model)], check=True)
        port = free_port()
        command = [f"{VENV}/bin/python", "-m", "llama_cpp.server", "--model", "tiny.gguf"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "512"]
        with program(command, home, answers(port, "/v1/models")):
            straight = model_cases(port)
            if [straight[name][0] for name in ("models", "chat", "chat, stream")] != [200] * 3:
                sys.exit(f"llama.cpp does not work without the gateway: {straight}")
            if straight != model_cases(port):
                sys.exit("llama.cpp does not answer the same twice, so that nothing can be compared")
            for way in WAYS:
                with gateway(way, port) as gate:
                    compare(findings, "llama.cpp", way, straight, model_cases(gate))
                    checks += len(straight)
            if shutil.which("node") and pathlib.Path(MODULES, "node_modules", "sillytavern").is_dir():
                checks += through_the_tavern(findings, port)
            else:
                print("without Node: SillyTavern was not run")
    print(f"\n{checks} checks, {len(findings)} different")
    for finding in findings:
        print(f"- {finding}")
    sys.exit(1 if findings else 0)


main()
