"""Runs the comparison of peers/gateways, which makes the environment and gives the paths."""

import argparse
import contextlib
import json
import os
import pathlib
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import gateways_client as client
from gateways_table import Row, print_table

OURS = ["no policy", "monitored"]
PEERS = ["nginx", "Portkey", "LiteLLM"]
# The others would need minutes for a thousand streams, or change the frames.
CROWDED = [*OURS, "nginx"]
HERE = pathlib.Path(__file__).resolve().parent
IDLE_STREAMS = 200
MANY = 1_000
MANY_FRAMES = 40


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Process:
    """A program and its children: CPU seconds and resident memory."""

    def __init__(self, pid):
        self.pid = pid

    def pids(self):
        parents = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu(self, pids=None):
        # The CPU clock of another process (clock_getcpuclockid): ns, ended threads included, where
        # /proc/PID/stat counts in steps of 10 ms.
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids or self.pids())

    def memory(self):
        """Resident memory, KiB."""
        pages = [int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()]
        return sum(pages) * resource.getpagesize() / 1024


class Machine:
    """How busy the cores were, and with whom."""

    def __init__(self):
        self.own = [Process(os.getpid())]
        self.before = self.now()

    def now(self):
        ticks = [int(x) for x in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        idle = ticks[3] + ticks[4]
        return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK"), Process(os.getpid()).cpu(), time.monotonic()

    def used(self):
        """Share of all cores used by this comparison, and by anything else."""
        busy, own, wall = (b - a for a, b in zip(self.before, self.now()))
        cores = os.cpu_count() * wall
        return own / cores, max(0, busy - own) / cores


def start(stack, name, command, place, **more):
    """Starts a program that ends with the comparison. What it prints goes to a file in `place`."""
    log = stack.enter_context(open(pathlib.Path(place) / f"{name.replace(' ', '-')}.log", "wb"))
    env = {**os.environ, **more.pop("env", {})}
    process = subprocess.Popen(
        [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, **more
    )

    def stop():
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(stop)
    return Process(process.pid), process


def ready(name, target, process, place):
    """Waits until a request passes."""
    limit = time.monotonic() + 180
    while True:
        with contextlib.suppress(OSError, ConnectionError):
            body = '{"model":"plain","messages":[{"role":"user","content":"hello"}]}'
            status, text = target.ask("/v1/chat/completions", body)
            if status == 200 and b"What did you plant?" in text:
                return
        if process.poll() is not None or time.monotonic() > limit:
            log = pathlib.Path(place) / f"{name.replace(' ', '-')}.log"
            sys.exit(f"{name} does not answer:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.2)


def consent(target):
    """The person of the requests agrees to everything, so that all of the governance is at work."""
    for purpose in ("keep_state", "relational_mode", "randomised_pauses"):
        for change in ("show", "give"):
            body = json.dumps({"purpose": purpose, "change": change})
            status, text = target.ask("/driftlead/me/consent", body)
            if status != 200 or (change == "give" and json.loads(text)["state"] != "given"):
                sys.exit(f"consent to {purpose} was not taken: {status} {text!r}")


NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off; client_max_body_size 100m; client_body_buffer_size 256k;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 10000000;
    upstream model {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 10000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering off; proxy_read_timeout 900s;
        }}
    }}
}}
"""

LITELLM = """
model_list:
  - model_name: "*"
    litellm_params: {{model: "openai/*", api_base: "http://127.0.0.1:{upstream}/v1", api_key: none}}
litellm_settings: {{telemetry: false, request_timeout: 900}}
"""


def start_all(stack, options, folder, wanted):
    """Target and process of every gateway, by name, in the order of the table."""
    upstream = free_port()
    base = f"http://127.0.0.1:{upstream}"
    python = [sys.executable, HERE / "gateways_upstream.py", upstream]
    _, process = start(stack, "upstream", python, folder)
    targets, processes = {"direct": client.Target(upstream)}, {"direct": None}
    ready("upstream", targets["direct"], process, folder)

    def add(name, port, command, headers="", **more):
        if name not in wanted:
            return
        targets[name] = client.Target(port, headers)
        processes[name], process = start(stack, name, command, folder, **more)
        # One after another: a start is work for every core.
        ready(name, targets[name], process, folder)

    for name, policy in zip(OURS, ([], ["--policy", "monitored", "--data", f"{folder}/governed"])):
        port, admin = free_port(), free_port()
        command = [options.driftlead, "gate", "--upstream", base, "--listen", f"127.0.0.1:{port}"]
        add(name, port, [*command, "--admin", f"127.0.0.1:{admin}", *policy])
    if "monitored" in targets:
        consent(targets["monitored"])
    port = free_port()
    config = pathlib.Path(folder) / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, upstream=upstream, port=port))
    add("nginx", port, [options.nginx, "-p", folder, "-e", f"{folder}/error.log", "-c", config])
    port = free_port()
    script = f"{options.place}/portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
    headers = f"x-portkey-provider: openai\r\nx-portkey-custom-host: {base}/v1\r\n"
    command = ["node", script, f"--port={port}", "--headless"]
    add("Portkey", port, command, headers, env={"NODE_ENV": "production"})
    port = free_port()
    config = pathlib.Path(folder) / "litellm.yaml"
    config.write_text(LITELLM.format(upstream=upstream))
    command = [f"{options.place}/litellm/bin/litellm", "--config", config, "--host", "127.0.0.1"]
    offline = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR",
        # Without a key of its own it need not look one up: its faster case.
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    add("LiteLLM", port, [*command, "--port", port], cwd=folder, env=offline)
    return targets, processes


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def streams(target):
    """Whether a stream passes; if not, what came instead."""
    try:
        client.one_stream(target, 2, 1, 0)
    except (OSError, RuntimeError) as why:
        return False, str(why)
    return True, ""


def one_round(target, process, options, number, streams):
    """Every figure of one gateway in one round: µs. Without those of streams where it has none."""
    figures = {}
    pids = process.pids() if process else None
    for size, name in ((2_000, "2 KB"), (50_000, "50 KB")):
        before = process.cpu(pids) if process else 0
        # Conversations that no other measurement asked for, so that none is taken for another.
        number += 1_000
        times, begins = client.plain(target, size, options.requests, 1.5, number)
        spent = process.cpu(pids) - before if process else 0
        figures[f"{name} p50"] = statistics.median(times)
        figures[f"{name} p99"] = percentile(times, 0.99)
        figures[f"{name} begins"] = statistics.median(begins)
        # The first conversation opens what is behind the gateway.
        figures[f"{name} cpu"] = spent / (len(times) + client.EXCHANGES) * 1e6
    if not streams:
        return figures
    number += 1_000
    times = client.first_frames(target, options.requests // 2, 1.5, number)
    figures["first p50"] = statistics.median(times)
    figures["first p99"] = percentile(times, 0.99)
    before = process.cpu(pids) if process else 0
    stream = client.one_stream(target, 100, 5, number + 1_000)
    figures["frame cpu"] = (process.cpu(pids) - before) / 100 * 1e6 if process else 0
    figures["frame p50"] = statistics.median(stream.delays()[1:])
    figures["gap p99"] = percentile(stream.excess(), 0.99)
    return figures


def thousand(target, process, options):
    """A thousand streams at once: figures in µs and KiB, and what was wrong with the frames."""
    memory = []
    every = round(1000 / options.frames_per_second)
    look = (lambda: memory.append(process.memory())) if process else None
    before = process.cpu() if process else 0
    streams, first = client.many(target, MANY, MANY_FRAMES, every, look)
    spent = process.cpu() - before if process else 0
    faults = {}
    for stream in streams:
        for name, count in stream.faults(MANY_FRAMES).items():
            faults[name] = faults.get(name, 0) + count
    excess = [x for stream in streams for x in stream.excess()]
    return {
        "first p50": statistics.median(first),
        "first p99": percentile(first, 0.99),
        "gap p99": percentile(excess, 0.99),
        "frame cpu": spent / (MANY * MANY_FRAMES) * 1e6,
        "memory": memory[0] if memory else 0,
        "faults": faults,
    }


def main():
    parser = argparse.ArgumentParser(prog="peers/gateways")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=300, help="of each size and gateway in a round, at most")
    parser.add_argument("--frames-per-second", type=int, default=5, help="of each of the thousand streams")
    parser.add_argument("--only", help="names of gateways, with commas between", default=",".join(OURS + PEERS))
    for name in ("--place", "--nginx", "--driftlead", "--load-before"):
        parser.add_argument(name, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    # Two connections per stream.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8_192)), hard))
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        targets, processes = start_all(stack, options, folder, options.only.split(","))
        # What a start leaves to do is not counted.
        time.sleep(5)
        idle = {name: process.memory() for name, process in processes.items() if process}
        machine = Machine()
        streaming = {name: streams(target) for name, target in targets.items()}
        order, rounds = random.Random(1), []
        for number in range(options.rounds):
            names = list(targets)
            order.shuffle(names)
            # Text that was not sent before, so that no request is taken for a repeated one.
            rounds.append({
                name: one_round(targets[name], processes[name], options, number * 10_000, streaming[name][0])
                for name in names
            })
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        held = {}
        for name, process in processes.items():
            if process and streaming[name][0]:
                before = process.memory()
                with client.Idle(targets[name], IDLE_STREAMS):
                    held[name] = (process.memory() - before) / IDLE_STREAMS
        crowd = {}
        for name in ["direct", *[name for name in CROWDED if name in targets]]:
            crowd[name] = thousand(targets[name], processes[name], options)
        used = machine.used()
    rows = figures(rounds, idle, held, crowd)
    seconds = time.monotonic() - began
    print(f"{options.rounds} rounds; {seconds:.0f} s on {os.cpu_count()} cores, shared by client, upstream")
    print(f"and gateways. Load average before the run: {options.load_before};")
    print(f"of all CPU time during it, this comparison used {used[0]:.0%} and other programs {used[1]:.0%}.")
    print(f"{MANY:,} streams: {MANY_FRAMES} frames each, {options.frames_per_second} per second and stream.\n")
    print_table(rows, [name for name in OURS if name in targets], [name for name in PEERS if name in targets])
    failed = False
    print()
    for name, figure in crowd.items():
        words = ", ".join(f"{count} {fault}" for fault, count in figure["faults"].items())
        print(f"{MANY:,} streams, {name}: of {MANY * MANY_FRAMES:,} frames {words} (changed: streams)")
        failed |= name in OURS and any(figure["faults"].values())
    for name, (passes, why) in streaming.items():
        if not passes:
            print(f"{name} passes no stream here: {why}")
    sys.exit(1 if failed else 0)


def figures(rounds, idle, held, crowd):
    """The rows of the table."""

    def added(key, less="direct"):
        return {n: [done[n][key] - done[less][key] for done in rounds] for n in having(key) if n != less}

    def having(key):
        return [name for name, figures in rounds[0].items() if key in figures]

    def own(key):
        return {n: [done[n][key] for done in rounds] for n in having(key) if n != "direct"}

    def direct(key):
        return statistics.median(done["direct"][key] for done in rounds)

    def governance(key):
        if not all(name in rounds[0] for name in OURS):
            return {}
        return {"monitored": [done["monitored"][key] - done["no policy"][key] for done in rounds]}

    def crowded(key, less=True):
        base = crowd["direct"][key] if less else 0
        return {name: figure[key] - base for name, figure in crowd.items() if name != "direct"}

    many = crowd["direct"]
    mib = {name: kib / 1024 for name, kib in idle.items()}
    mib_many = {name: kib / 1024 for name, kib in crowded("memory", False).items()}
    return [
        Row("request of 2 KB, added p50, µs", direct("2 KB p50"), added("2 KB p50"), (45, 60)),
        Row("request of 2 KB, added p99, µs", direct("2 KB p99"), added("2 KB p99"), (75, 120)),
        Row("the same, begins a conversation, added p50, µs", direct("2 KB begins"), added("2 KB begins")),
        Row("request of 50 KB, added p50, µs", direct("50 KB p50"), added("50 KB p50")),
        Row("request of 50 KB, added p99, µs", direct("50 KB p99"), added("50 KB p99")),
        Row("governance alone, 2 KB, p50, µs", None, governance("2 KB p50"), (None, 15)),
        Row("governance alone, 2 KB, p99, µs", None, governance("2 KB p99"), (None, 40)),
        Row("governance alone, 50 KB, p50, µs", None, governance("50 KB p50"), (None, 40)),
        Row("first frame of a stream, added p50, µs", direct("first p50"), added("first p50"), (100, 100)),
        Row("first frame of a stream, added p99, µs", direct("first p99"), added("first p99"), (250, 250)),
        Row("one way of a frame, added p50, µs", direct("frame p50"), added("frame p50")),
        Row("gap between frames, change, added p99, µs", direct("gap p99"), added("gap p99"), (5, 5)),
        Row("CPU per request of 2 KB, µs", None, own("2 KB cpu"), (60, 60)),
        Row("CPU per request of 50 KB, µs", None, own("50 KB cpu")),
        Row("CPU per frame, one stream, µs", None, own("frame cpu"), (15, 15)),
        Row("memory before the rounds, MiB", None, mib, (10, 10)),
        Row("memory per open idle stream, KiB", None, held, (32, 32)),
        Row("1,000 streams: first frame, added p99, µs", many["first p99"], crowded("first p99"), (1000, 1000)),
        Row("1,000 streams: gap, added p99, µs", many["gap p99"], crowded("gap p99"), (500, 500)),
        Row("1,000 streams: CPU per frame, µs", None, crowded("frame cpu", False), (15, 15)),
        Row("1,000 streams: memory, MiB", None, mib_many, (48, 48)),
    ]


if __name__ == "__main__":
    main()
