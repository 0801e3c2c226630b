"""Bradley-Terry fits: choix 0.4.1 against driftlead-stats, on the same comparisons (peers/stats preference).

Each side stops at its own tolerance, ours at the stricter, which bounds how close the strengths can be.
Expectation propagation of choix visits the comparisons in random order.
"""

from common import Table, close, cpu, ours

import choix

ITEMS = 200
# name of ours -> the function of choix that computes the same estimate, and the difference allowed
FITS = {
    "Luce spectral ranking": (lambda data: choix.lsr_pairwise(ITEMS, data, alpha=0.01), 1e-9),
    "Luce spectral ranking, iterated": (
        lambda data: choix.ilsr_pairwise(ITEMS, data, alpha=0.01),
        1e-5,
    ),
    "minorise-maximise": (lambda data: choix.mm_pairwise(ITEMS, data, alpha=0.01), 1e-5),
    "penalised maximum": (lambda data: choix.opt_pairwise(ITEMS, data, alpha=0.01), 1e-5),
    "expectation propagation": (
        lambda data: choix.ep_pairwise(ITEMS, data, alpha=0.1, model="probit")[0],
        1e-5,
    ),
}


def main():
    results, data = ours("preference")
    comparisons = [tuple(pair) for pair in data["comparisons"].astype(int).reshape(-1, 2)]
    table = Table(f"Bradley-Terry, {ITEMS} items, {len(comparisons):,} comparisons")
    for name, (fit, tolerance) in FITS.items():
        strengths, seconds = cpu(lambda: fit(comparisons), runs=1)
        agrees, words = close(results[name]["result"], strengths, tolerance)
        table.line(name, results[name]["seconds"], seconds, agrees, words)
    table.finish()


if __name__ == "__main__":
    main()
