"""Online detectors: river 0.26.1 and changepoint_online 1.2.1 against driftlead-stats (peers/stats detectors).

Both sides are given one observation at a time, as streams are; for the packages that is a loop in Python
around compiled or Python code. Alarms must come at the same observations. KSWIN draws a random sample
at every observation from the generator of its own program, so only the numbers of alarms are printed.
"""

from common import Table, close, cpu, ours

import numpy as np
from changepoint_online import Focus, Gaussian
from river import drift
from river.drift import binary

DETECTORS = {
    "ADWIN": ("normal", lambda: drift.ADWIN(delta=0.002, clock=32)),
    "ADWIN, clock 1": ("normal", lambda: drift.ADWIN(delta=0.002, clock=1)),
    "Page-Hinkley": ("normal", drift.PageHinkley),
    "KSWIN": ("normal", lambda: drift.KSWIN(alpha=0.005, window_size=100, stat_size=30, seed=42)),
    "DDM": ("binary", binary.DDM),
    "EDDM": ("binary", binary.EDDM),
    "HDDM_A": ("binary", lambda: binary.HDDMA(drift_confidence=0.001)),
    "HDDM_W": ("binary", lambda: binary.HDDMW(drift_confidence=0.001, lambda_val=0.05)),
}
# KSWIN and FOCuS see the first of these only.
FEW = 10_000


def alarms(start, xs):
    detector, found = start(), []
    for t, x in enumerate(xs):
        detector.update(x)
        if detector.drift_detected:
            found.append(t)
    return found


def focus(xs):
    detector, statistics = Focus(Gaussian()), []
    for x in xs:
        detector.update(x)
        statistics.append(detector.statistic())
    return statistics


def main():
    results, data = ours("detectors")
    columns = {
        "normal": data["normal"].tolist(),
        "binary": [bool(x) for x in data["binary"]],
    }
    table = Table(f"Online detectors, {len(data['normal']):,} observations (KSWIN, FOCuS {FEW:,})")
    for name, (column, start) in DETECTORS.items():
        xs = columns[column]
        same = True
        if name == "KSWIN":
            xs, same = xs[:FEW], None
        found, seconds = cpu(lambda: alarms(start, xs))
        mine = results[name]["result"]
        words = f"{len(mine)} and {len(found)} alarms, random samples differ"
        if same is not None:
            same = mine == found
            words = f"{len(found)} alarms at the same observations" if same else f"{mine} {found}"
        table.line(name, results[name]["seconds"], seconds, same, words)
    statistics, seconds = cpu(lambda: focus(columns["normal"][:FEW]), runs=1)
    agrees, words = close(data["focus"], statistics, 1e-9)
    table.line("FOCuS, unknown mean, two-sided", results["FOCuS"]["seconds"], seconds, agrees, words)
    table.finish()


if __name__ == "__main__":
    main()
