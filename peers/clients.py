"""Real clients against the scripted server, with the gateway in between and without; see peers/README.md.

clients.py BINARY VENV MODULES [CLIENT...]
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from upstream import Upstream

HERE = pathlib.Path(__file__).resolve().parent
BINARY, VENV, MODULES = (str(pathlib.Path(given).absolute()) for given in sys.argv[1:4])
PYTHON, NODE = ("openai", "anthropic", "langchain-openai", "llm"), ("openai", "@anthropic-ai/sdk", "ai")
CLIENTS = [("Python", name) for name in PYTHON] + [("Node", name) for name in NODE]
WAYS = {"no policy": [], "transparent": ["transparent"], "monitored": ["monitored"]}

# How a client reaches the server is the gateway's, not the client's.
OWN_HEADERS = {"host", "connection", "accept-encoding"}
# In every addition of the policy `monitored`.
ASKED = "keep it when it is disputed without new evidence"
ANSWERED = "[driftlead]"
GOVERNED = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
MAY_FAIL = ("error-", "stream, error", "stream, cut", "responses, error", "left: before")
LONGEST_CASE = 60


def environment(home):
    """Nothing of the caller's but where programs are: no key, no address, no proxy."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "LANG": "C.UTF-8",
        "NO_PROXY": "*",
        "no_proxy": "*",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Gate:
    """The gateway, on free ports."""

    def __init__(self, policy, upstream, home):
        self.data = pathlib.Path(home, "gate")
        command = [BINARY, "gate", "--upstream", f"http://127.0.0.1:{upstream.port}"]
        command += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", str(self.data)]
        self.policy = policy
        if policy:
            command += ["--policy", *policy]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(home), cwd=home
        )
        first = self.process.stdout.readline()
        address = re.search(r"listening on http://127\.0\.0\.1:(\d+)", first)
        if not address:
            sys.exit(f"the gateway did not start: {first}{self.process.stdout.read()}")
        self.port = int(address[1])
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def stop(self):
        """Ends it; whether it ended in order and its log verifies."""
        self.process.send_signal(signal.SIGTERM)
        try:
            ended = self.process.wait(20) == 0
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "did not end"
        if not ended:
            return f"ended with {self.process.returncode}"
        if self.policy:
            verified = subprocess.run([BINARY, "verify", str(self.data)], capture_output=True)
            if verified.returncode:
                return f"the log does not verify: {verified.stderr.decode()}"
        return None


def left(seen):
    """Whether the client's going away closed every connection of the server, within three seconds."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        if seen and all(request["left"] for request in seen):
            return True
        time.sleep(0.01)
    return False


def drive(kind, client, port, upstream, home):
    """Runs all cases of a client: name -> what the client made of it, and what the server saw."""
    if kind == "Python":
        command = [f"{VENV}/bin/python", str(HERE / "clients_python.py"), client, str(port)]
    else:
        command = ["node", str(HERE / "clients_node.mjs"), client, str(port), MODULES]
    worker = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(home), cwd=home
    )
    cases = {}
    while True:
        watchdog = threading.Timer(LONGEST_CASE, worker.kill)
        watchdog.start()
        line = worker.stdout.readline()
        watchdog.cancel()
        if not line:
            break
        told = json.loads(line)
        name = told.pop("case")
        if name.startswith("left"):
            told["the server was left"] = left(upstream.seen)
        cases[name] = (told, upstream.seen)
        upstream.forget()
        try:
            worker.stdin.write("\n")
            worker.stdin.flush()
        except BrokenPipeError:
            pass
    if worker.wait():
        sys.exit(f"{client} ended with {worker.returncode} after: {', '.join(cases)}")
    return cases


def difference(one, other, place=""):
    """Where two values differ first, in words; nothing where they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            if key not in one or key not in other:
                return f"{place}/{key} only {'through the gateway' if key in other else 'directly'}"
            if found := difference(one[key], other[key], f"{place}/{key}"):
                return found
        return None
    if isinstance(one, list) and isinstance(other, list):
        for number, pair in enumerate(zip(one, other)):
            if found := difference(*pair, f"{place}/{number}"):
                return found
        if len(one) != len(other):
            return f"{place}: {len(one)} directly, {len(other)} through the gateway"
        return None
    if type(one) is type(other) and one == other:
        return None
    return f"{place}: {one!r} directly, {other!r} through the gateway"


def headers(request):
    return sorted([name.lower(), value] for name, value in request["headers"] if name.lower() not in OWN_HEADERS)


def system(path, body):
    """Takes the system text out of a request's body: its paragraphs, each turn or part one."""
    if path == "/v1/chat/completions":
        turns = body["messages"]
        given = [turn["content"] for turn in turns if turn["role"] == "system"]
        body["messages"] = [turn for turn in turns if turn["role"] != "system"]
        return given
    given = body.pop("instructions" if path == "/v1/responses" else "system", None)
    given = given if isinstance(given, list) else [] if given is None else [given]
    texts = [part["text"] if isinstance(part, dict) else part for part in given]
    if not texts and isinstance(body.get("input"), list):
        # Without instructions a leading system item holds the system text of a Responses request.
        is_system = lambda item: item.get("role") in ("system", "developer")
        texts = [item["content"] for item in body["input"] if is_system(item)]
        body["input"] = [item for item in body["input"] if not is_system(item)]
    return texts


def added(path, one, other):
    """What is wrong with a request as `monitored` passed it on: there has to be one addition, in system text."""
    one, other = json.loads(one), json.loads(other)
    before, after = system(path, one), system(path, other)
    # As text, so that the order of keys counts.
    if json.dumps(one) != json.dumps(other):
        return f"not only system text is other: {difference(one, other) or 'the order of keys'}"
    whole, rest = "\n\n".join(before), "\n\n".join(after)
    if not rest.startswith(whole) or ASKED not in rest[len(whole) :]:
        return f"nothing was added at the end of the system text: {after}"
    if path == "/v1/chat/completions" and len(after) != max(len(before), 1):
        return f"{len(before)} system turns directly, {len(after)} through the gateway"
    return None


def requests(one, other, policy):
    """Where the server saw another request through the gateway; nothing where it did not."""
    if len(one) != len(other):
        return f"the server saw {len(one)} requests directly, {len(other)} through the gateway"
    for first, second in zip(one, other):
        for key in ("method", "path"):
            if found := difference(first[key], second[key], f"request {key}"):
                return found
        governed = policy == ["monitored"] and first["path"] in GOVERNED
        told = dict(map(tuple, headers(first))), dict(map(tuple, headers(second)))
        if governed:
            if int(told[1].pop("content-length")) != len(second["body"]):
                return "content-length is not the length of the body"
            told[0].pop("content-length")
        if found := difference(*told, "request header"):
            return found
        if governed:
            if found := added(first["path"], first["body"], second["body"]):
                return f"request body: {found}"
        elif first["body"] != second["body"]:
            return f"request body: {first['body']!r} directly, {second['body']!r} through the gateway"
    return None


def command(told, seen, policy):
    """What is wrong with the answer to a command under a policy."""
    if seen:
        return "the command reached the server"
    answer = told.get("result")
    if not isinstance(answer, str) or not answer.startswith(ANSWERED) or f"force: {policy[0]}" not in answer:
        return f"the command was not answered: {told}"
    return None


def after_a_command(one, other, policy):
    """What is wrong with the turn after a command: the server has to see the conversation without it."""
    (told, direct), (through, seen) = one, other
    if found := difference(told, through):
        return found
    if len(seen) != 1:
        return f"the server saw {len(seen)} requests"
    turns = [turn for turn in json.loads(seen[0]["body"])["messages"] if turn["role"] != "system"]
    sent = [turn for turn in json.loads(direct[-1]["body"])["messages"] if turn["role"] != "system"]
    # A command and its answer are the two turns before the newest.
    return difference(sent[:-3] + sent[-1:], turns, "turns")


def wrong(name, one, other, policy):
    """What is different through the gateway in one case, in words; nothing where it is as it has to be."""
    if other is None:
        return "the case was not reached"
    (told, direct), (through, seen) = one, other
    if policy and name.startswith("command"):
        return command(through, seen, policy)
    if policy and name == "after a command":
        return after_a_command(one, other, policy)
    return difference(told, through) or requests(direct, seen, policy)


def unsound(name, told, seen):
    """What is wrong with a case without the gateway: then it shows nothing."""
    if not seen:
        return "the server saw nothing"
    if "raised" in told and not name.startswith(MAY_FAIL):
        return f"failed: {told['raised']}"
    if told.get("the server was left") is False:
        return "the client did not leave the server"
    return None


def version(kind, client):
    if kind == "Python":
        ask = f"from importlib.metadata import version; print(version({client!r}))"
        return subprocess.run([f"{VENV}/bin/python", "-c", ask], capture_output=True, text=True).stdout.strip()
    return json.loads(pathlib.Path(MODULES, "node_modules", client, "package.json").read_text())["version"]


def main():
    clients = [pair for pair in CLIENTS if pair[1] in sys.argv[4:] or not sys.argv[4:]]
    if shutil.which("node") is None or not pathlib.Path(MODULES, "node_modules").is_dir():
        print("without Node: the clients in it were not run")
        clients = [pair for pair in clients if pair[0] != "Node"]
    upstream, findings, checks = Upstream(), [], 0
    for kind, client in clients:
        runs, ends = {}, {}
        for way, policy in {"directly": None, **WAYS}.items():
            with tempfile.TemporaryDirectory() as home:
                if policy is None:
                    runs[way] = drive(kind, client, upstream.port, upstream, home)
                    continue
                gate = Gate(policy, upstream, home)
                runs[way] = drive(kind, client, gate.port, upstream, home)
                ends[way] = gate.stop()
        print(f"\n{client} {version(kind, client)} ({kind})")
        print(f"{'':<28}" + "".join(f"{way:<14}" for way in WAYS))
        for name, one in runs["directly"].items():
            words = []
            bad = unsound(name, *one)
            for way, policy in WAYS.items():
                found = bad or wrong(name, one, runs[way].get(name), policy)
                words.append("different" if found else "same")
                checks += 1
                if found:
                    findings.append(f"{client} ({kind}), {name}, {way}: {found}")
            print(f"{name:<28}" + "".join(f"{word:<14}" for word in words))
        for way, bad in ends.items():
            if bad:
                findings.append(f"{client} ({kind}), {way}: the gateway {bad}")
    print(f"\n{checks} checks, {len(findings)} different")
    for finding in findings:
        print(f"- {finding}")
    sys.exit(1 if findings else 0)


main()
