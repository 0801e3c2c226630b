"""WCLS and a mixed model on 200,000 rows: statsmodels 0.15.0 against driftlead-stats (peers/stats causal).

statsmodels has no micro-randomised trial of its own. The same estimate is weighted least squares, or a GEE
with independence and weights, with the covariance clustered by person and not corrected for small samples;
its small-sample correction refuses weights. The design matrix and weights are made outside the timing.

The optimiser of statsmodels stops a little early, which bounds how close the variances can be. So the
log-likelihood of statsmodels is asked for at our estimate: it must be what we say it is, and not below what
statsmodels found.
"""

from common import Table, close, cpu, ours

import warnings

import numpy as np
import statsmodels.api as sm
from statsmodels.regression.mixed_linear_model import MixedLMParams
from statsmodels.tools.sm_exceptions import ConvergenceWarning

NUMERATOR = 0.4


def design(data, controls, moderators):
    """Regressors and weights of WCLS, as ours builds them."""
    one = np.ones_like(data["treated"])
    centred = data["treated"] - NUMERATOR
    columns = [one, *controls, centred, *(centred * m for m in moderators)]
    p = data["probability"]
    treated = data["treated"] == 1
    weights = np.where(treated, NUMERATOR / p, (1 - NUMERATOR) / (1 - p))
    return np.column_stack(columns), weights


def main():
    results, data = ours("causal")
    rows, people = len(data["person"]), len(np.unique(data["person"]))
    table = Table(f"{rows:,} rows, {people:,} people")
    groups = data["person"].astype(int)
    x, weights = design(data, [data["control"], data["modifier"]], [data["modifier"]])
    peers = {
        "weighted least squares": lambda: sm.WLS(data["outcome"], x, weights=weights).fit(
            cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
        ),
        "GEE": lambda: sm.GEE(
            data["outcome"], x, groups=groups, weights=weights, family=sm.families.Gaussian()
        ).fit(),
    }
    bare = results["WCLS, 5 columns, no small-sample correction"]
    for name, fit in peers.items():
        found, seconds = cpu(fit)
        agrees, words = close(bare["result"]["coefficients"], found.params, 1e-9)
        errors = np.sqrt(np.diag(np.reshape(bare["result"]["covariance"], (5, 5))))
        errors_agree, error_words = close(errors / found.bse, np.ones(5), 1e-9)
        table.line(
            f"WCLS and {name}",
            bare["seconds"],
            seconds,
            agrees and errors_agree,
            f"coefficients: {words}; ratio of errors to 1: {error_words}",
        )
    with_correction = results["WCLS, 5 columns"]["seconds"]
    print(f"    (ours with the small-sample correction: {with_correction:.7f} s)")

    control = data["control"]
    fixed = np.column_stack([np.ones(rows), control])
    for name, random in (("intercept", fixed[:, :1]), ("slope", fixed)):
        mine = results[f"REML, 1,000 people, random {name}"]
        model = sm.MixedLM(data["outcome"], fixed, groups=groups, exog_re=random)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found, seconds = cpu(lambda: model.fit(reml=True), runs=1)
        agrees, words = close(mine["result"]["coefficients"], found.fe_params, 1e-6)
        size = random.shape[1]
        estimate = mine["result"]
        covariance = np.reshape(estimate["random_covariance"], (size, size))
        point = MixedLMParams.from_components(
            fe_params=np.array(estimate["coefficients"]),
            cov_re=covariance / estimate["residual_variance"],
        )
        theirs = model.loglike(point, profile_fe=True)
        same, same_words = close(estimate["log_likelihood"], theirs, 1e-9)
        variances = [*np.ravel(found.cov_re), found.scale]
        gap = np.max(np.abs([*estimate["random_covariance"], estimate["residual_variance"]] - np.array(variances)))
        table.line(
            f"REML, random {name}",
            mine["seconds"],
            seconds,
            agrees and same and theirs >= found.llf - 1e-6,
            f"coefficients: {words}; its log-likelihood at our estimate: {same_words},"
            f" and {theirs - found.llf:.1e} above its optimum; variances differ by up to {gap:.1e}",
        )
    table.finish()


if __name__ == "__main__":
    main()
