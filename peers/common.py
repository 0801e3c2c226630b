"""What the comparisons of driftlead-stats with Python packages share. Imported before numpy."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["TQDM_DISABLE"] = "1"

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH = 44


def ours(benchmark):
    """Runs a benchmark of driftlead-stats: its results (name -> seconds, result) and its data (name -> array)."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["cargo", "bench", "-q", "-p", "driftlead-stats", "--bench", benchmark, "--"]
        subprocess.run(
            command + ["--write", folder], check=True, cwd=ROOT, stdout=subprocess.DEVNULL
        )
        folder = pathlib.Path(folder)
        results = json.loads((folder / "results.json").read_text())
        data = {path.stem: np.fromfile(path, "<f8") for path in folder.glob("*.f64")}
    return results, data


def cpu(work, runs=2):
    """The result of `work` and the best CPU time of `runs` calls of it, in seconds of one thread."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return result, best


class Table:
    """Prints one line per comparison; `finish` ends the program with 1 if one of them disagreed."""

    def __init__(self, title):
        self.disagreed = []
        print(title)
        print(f"{'':<{WIDTH}} {'driftlead s':>12} {'peer s':>10} {'ratio':>9}  agreement")

    def line(self, name, seconds, peer_seconds, agrees, words, bar=None):
        """`agrees`: True or False, or None where the two need not give the same. `bar`: the ratio aimed at."""
        if bar is not None:
            words += f"; ratio at least {bar}: {'met' if peer_seconds >= bar * seconds else 'missed'}"
        if agrees is False:
            self.disagreed.append(name)
            words = f"DISAGREE: {words}"
        print(
            f"{name:<{WIDTH}} {seconds:>12.7f} {peer_seconds:>10.4f}"
            f" {peer_seconds / seconds:>9.1f}  {words}",
            flush=True,
        )

    def finish(self):
        sys.exit(1 if self.disagreed else 0)


def close(ours, theirs, tolerance):
    """Whether |ours - theirs| / max(1, |theirs|) is at most `tolerance` everywhere, and the largest value in words."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    largest = float(np.max(np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))))
    return largest <= tolerance, f"largest difference {largest:.1e} (allowed {tolerance:.0e})"
