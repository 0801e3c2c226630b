"""Segmentation of finished series: ruptures 1.1.10 against driftlead-stats (peers/stats segment).

The ends of the segments must be the same. Where the search of ruptures stops above the optimum (its
pruning is too early for segments with a minimum size) ours must cost less, by the cost function of ruptures.
FOCuS, which looks at every prefix, is compared at the last observation with the best single change.
"""

from common import Table, close, cpu, ours

import warnings

import ruptures as rpt

# name -> (observations, cost, penalty)
PENALISED = {
    "penalised, l2": (2000, "l2", 20.0),
    "penalised, l1": (1000, "l1", 10.0),
    "penalised, normal": (1000, "normal", 30.0),
}
SPACING = {"min_size": 2, "jump": 1}
CHANGES = 4


def searches():
    """Yields name, number of observations, cost, penalty, and the search on a series."""
    for name, (n, cost, penalty) in PENALISED.items():
        yield name, n, cost, penalty, lambda xs, c=cost, p=penalty: rpt.Pelt(
            model=c, **SPACING
        ).fit_predict(xs, pen=p)
    yield "penalised, kernel", 2000, "rbf", 10.0, lambda xs: rpt.KernelCPD(
        kernel="rbf", min_size=2
    ).fit_predict(xs, pen=10.0)
    yield "4 changes, l2", 500, "l2", 0.0, lambda xs: rpt.Dynp(model="l2", **SPACING).fit_predict(
        xs, n_bkps=CHANGES
    )
    yield "4 changes, kernel", 2000, "rbf", 0.0, lambda xs: rpt.KernelCPD(
        kernel="rbf", min_size=2
    ).fit_predict(xs, n_bkps=CHANGES)
    yield "4 changes, greedy, l2", 2000, "l2", 0.0, lambda xs: rpt.Binseg(
        model="l2", **SPACING
    ).fit_predict(xs, n_bkps=CHANGES)


def main():
    results, data = ours("segment")
    # That its normal cost adds 1e-6 to a variance; so does ours.
    warnings.filterwarnings("ignore", category=UserWarning, module="ruptures")
    table = Table("Segmentation, least segment 2")
    for name, n, cost, penalty, search in searches():
        xs = data[f"series{n}"].reshape(-1, 1)
        # One run: some of these take long.
        ends, seconds = cpu(lambda: search(xs), runs=1)
        mine = results[name]["result"]
        priced = rpt.costs.cost_factory(cost).fit(xs)
        total = lambda ends: priced.sum_of_costs(ends) + penalty * (len(ends) - 1)
        agrees = mine["ends"] == ends
        words = f"the same {len(ends) - 1} changes"
        if not agrees:
            agrees = total(mine["ends"]) <= total(ends)
            words = (
                f"{len(mine['ends']) - 1} and {len(ends) - 1} changes, "
                f"cost {total(mine['ends']):.4f} and {total(ends):.4f}: ours is cheaper"
            )
        table.line(f"{name}, n {n}", results[name]["seconds"], seconds, agrees, words)
    xs = data["single"].reshape(-1, 1)
    ends, seconds = cpu(lambda: rpt.Dynp(model="l2", min_size=1, jump=1).fit_predict(xs, n_bkps=1))
    priced = rpt.costs.cost_factory("l2").fit(xs)
    gain = (priced.error(0, len(xs)) - priced.sum_of_costs(ends)) / 2
    mine = results["FOCuS, one change"]["result"]
    agrees, words = close(mine["statistic"], gain, 1e-9)
    table.line(
        f"FOCuS and 1 change, l2, n {len(xs)}",
        results["FOCuS, one change"]["seconds"],
        seconds,
        agrees and mine["change"] == ends[0],
        f"change at {mine['change']} and {ends[0]}, half the gain: {words}",
    )
    table.finish()


if __name__ == "__main__":
    main()
