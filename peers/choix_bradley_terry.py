"""Bradley-Terry fits: choix 0.4.1 against driftlead-stats, on the same comparisons.

    python3 -m venv venv && venv/bin/pip install choix==0.4.1
    venv/bin/python peers/choix_bradley_terry.py

Runs `cargo bench -p driftlead-stats --bench preference`, which writes the comparisons and prints its
times, then choix on the same file in the same session. CPU time of one thread on both sides.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import choix

ITEMS = 200
# name of ours -> the function of choix that computes the same estimate
FITS = {
    "lsr": lambda data: choix.lsr_pairwise(ITEMS, data, alpha=0.01),
    "ilsr": lambda data: choix.ilsr_pairwise(ITEMS, data, alpha=0.01),
    "mm": lambda data: choix.mm_pairwise(ITEMS, data, alpha=0.01),
    "newton": lambda data: choix.opt_pairwise(ITEMS, data, alpha=0.01),
}


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "comparisons.json")
        command = ["cargo", "bench", "-q", "-p", "driftlead-stats", "--bench", "preference", "--"]
        output = subprocess.run(
            command + ["--write", path], check=True, capture_output=True, text=True
        ).stdout
        with open(path) as file:
            data = [tuple(pair) for pair in json.load(file)]
    ours = {}
    for line in output.splitlines():
        words = line.split()
        if words[:1] == ["preference"]:
            ours[words[1]] = float(words[3])
    print(f"{ITEMS} items, {len(data)} comparisons, seconds")
    print(f"{'fit':<8} {'driftlead':>10} {'choix':>10} {'ratio':>8}")
    for name, fit in FITS.items():
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            fit(data)
            best = min(best, time.process_time() - start)
        print(f"{name:<8} {ours[name]:>10.5f} {best:>10.3f} {best / ours[name]:>8.0f}")


if __name__ == "__main__":
    sys.exit(main())
