"""The population engine against other engines that do the same work (peers/engine).

Every program is pinned to the same core and started once; the rounds ask them one after the other, so that
all of them see the same machine. What counts is the CPU time of the whole process, smallest of the rounds.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
STEPS = 250
# Statistics at the last step for many people, from docs/engine.md: mean reaction; engaged, hooked; shown bait.
REFERENCE = {
    "W4": (4.707, (0.2836, 0.5549), (0.1662, 0.1661, 0.1664)),
    "W2": (5.247, (0.2811, 0.5848), (0.500,)),
}
# For a million people; fewer people leave more to chance.
TOLERANCE = {"reaction": 0.02, "share": 0.002}
PEOPLE = 1e6
# name: workload, program, arguments, how it computes
PEERS = {
    "jax": ("W4", "engine_jax.py", ["W4"], "f32, 32-bit hash"),
    "jax-natural": ("W4", "engine_jax_natural.py", [], "f32, threefry"),
    "numba": ("W4", "engine_numba.py", [], "f32, 32-bit hash"),
    "numpy": ("W4", "engine_numpy.py", [], "f32, SFC64"),
    "jax-w2": ("W2", "engine_jax.py", ["W2"], "f32, 32-bit hash"),
    "demo": ("W2", "engine_demo.py", [], "f64, PCG64"),
}
OURS = {"W4": "driftlead W4", "W2": "driftlead W2"}
# peer: the ratio aimed at
BARS = {"jax": 6.0, "jax-w2": 3.0, "demo": 1000.0}


class Peer:
    """A program that runs once for every line it is sent, and answers with a line of JSON."""

    def __init__(self, program, arguments):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ready = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"a peer ended early: {self.process.args}")
        return json.loads(line)

    def once(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Ours:
    """The engine's own benchmark, one kernel, one world, one repetition."""

    def __init__(self, binary, workload, kernel=None):
        self.command = [binary, "--only", workload, "--users", "2e6", "--steps", str(STEPS), "--reps", "1"]
        self.command += ["--kernel", kernel or "best"]

    def once(self):
        line = json.loads(subprocess.run(self.command, check=True, capture_output=True, text=True).stdout)
        return {"cpu": line["cpu_seconds"], "users": line["users"], "engine": line["engine"], **line["last"]}

    def close(self):
        pass


def differences(name, a, b, people):
    """What differs by more than chance allows, in words."""
    scale = max(1.0, math.sqrt(PEOPLE / people))
    (reaction, states, shown), (reaction_b, states_b, shown_b) = a, b
    found = []
    if abs(reaction - reaction_b) > TOLERANCE["reaction"] * scale:
        found.append(f"{name}: mean reaction {reaction:.4f} and {reaction_b:.4f}")
    for what, x, y in (("states", states, states_b), ("shown", shown, shown_b)):
        if max(abs(p - q) for p, q in zip(x, y, strict=True)) > TOLERANCE["share"] * scale:
            found.append(f"{name}: {what} {x} and {y}")
    return found


def statistics(result):
    return result["reaction"], result["states"], result["shown"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="peers, with commas between them")
    args = parser.parse_args()
    wanted = [name for name in args.only.split(",") if name] or list(PEERS)
    for name in wanted:
        if name not in PEERS:
            parser.error(f"{name}: none of {', '.join(PEERS)}")

    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    binary = str(pathlib.Path(args.binary).resolve())
    programs = {OURS[w]: (w, Ours(binary, w)) for w in OURS}
    few = [binary, "--kernel", "avx2", "--users", "16", "--steps", "2", "--reps", "1"]
    has_avx2 = subprocess.run(few, check=True, capture_output=True).stdout
    for workload in OURS if has_avx2 else ():
        programs[f"driftlead {workload}, AVX2"] = (workload, Ours(binary, workload, "avx2"))
    for name in wanted:
        workload, program, arguments, _ = PEERS[name]
        programs[name] = (workload, Peer(program, arguments))
        print(f"{name}: {programs[name][1].ready['engine']}", file=sys.stderr, flush=True)

    results = {name: [] for name in programs}
    for number in range(args.rounds):
        for name, (_, program) in programs.items():
            results[name].append(program.once())
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
    for _, program in programs.values():
        program.close()
    report(programs, results, core, args.rounds)


def report(programs, results, core, rounds):
    rate = {
        name: runs[0]["users"] * STEPS / min(run["cpu"] for run in runs) / 1e6
        for name, runs in results.items()
    }
    load = os.getloadavg()[0]
    print(f"core {core}, {rounds} rounds, {STEPS} steps; load of the machine at the end {load:.1f}")
    print(f"{'':<20} {'people':>9} {'M steps/CPU-s':>14} {'ours / it':>10}  what it is")
    missed, apart = [], []
    for name, (workload, _) in programs.items():
        ratio = rate[OURS[workload]] / rate[name]
        words = PEERS[name][3] if name in PEERS else results[name][0]["engine"]
        if name in BARS:
            met = ratio >= BARS[name]
            words += f"; at least {BARS[name]:g}: {'met' if met else 'missed'}"
            missed += [] if met else [name]
        people = results[name][0]["users"]
        print(f"{name:<20} {people:>9,} {rate[name]:>14,.3f} {ratio:>10,.1f}  {workload}, {words}")

    print("\nLast step: mean reaction; engaged, hooked; shown each bait")
    for workload, reference in REFERENCE.items():
        ours = results[OURS[workload]][0]
        print(f"  {workload} reference: {reference[0]}; {reference[1]}; {reference[2]}")
        for name, (other, _) in programs.items():
            if other != workload:
                continue
            run = results[name][0]
            print(f"  {name}: {run['reaction']:.4f}; {run['states']}; {run['shown']}")
            apart += differences(f"{name} and the reference", statistics(run), reference, run["users"])
            apart += differences(f"{name} and ours", statistics(run), statistics(ours), run["users"])
    print("\n".join(f"DISAGREE: {words}" for words in apart) or "all agree")
    sys.exit(1 if apart else 0)


if __name__ == "__main__":
    main()
