"""Kernel two-sample test with 500 permutations: model-equality-testing 0.0.2 against driftlead-stats
(peers/stats kernel_test).

Both sides test the three data sets of crates/stats/tests/vectors/model_equality.json (100 + 100 answers
of 20 symbols, 5 prompts); times include the kernel.

The package stores samples in torch tensors (a download of several gigabytes) and computes on numpy
arrays. Where torch is installed it is used. Where it is not, the few container calls it is needed for
are answered by numpy here, which can only make the package faster; the output says which.

The package exchanges labels among all answers, driftlead-stats within prompts: the p-values agree
up to the two schemes and the simulation.
"""

from common import ROOT, Table, close, cpu, ours

import importlib.util
import json
import sys
import types

import numpy as np

PERMUTATIONS = 500
# Ratio aimed at.
BAR = 1000


class Array(np.ndarray):
    """A numpy array with the methods of a tensor that the package calls."""

    def numpy(self):
        return np.asarray(self)

    def clone(self):
        return self.copy()

    def detach(self):
        return self

    def unsqueeze(self, axis):
        return np.expand_dims(self, axis).view(Array)

    def size(self, axis=None):
        return self.shape if axis is None else self.shape[axis]


def stand_in():
    """A module that answers the calls of torch made on the way to a permutation p-value."""
    torch = types.ModuleType("torch")
    random = np.random.default_rng(1)
    wrap = lambda values: np.asarray(values).view(Array)
    torch.Tensor = Array
    torch.from_numpy = wrap
    torch.tensor = wrap
    torch.cat = lambda parts, dim=0: np.concatenate(parts, axis=dim).view(Array)
    torch.stack = lambda parts, dim=0: np.stack(parts, axis=dim).view(Array)
    torch.zeros = lambda *shape, dtype=float: np.zeros(shape, dtype=dtype).view(Array)
    torch.ones = lambda *shape, dtype=float: np.ones(shape, dtype=dtype).view(Array)
    torch.randperm = lambda n: wrap(random.permutation(n))
    torch.cuda = types.SimpleNamespace(is_available=lambda: False)
    functional = types.ModuleType("torch.nn.functional")
    nn = types.ModuleType("torch.nn")
    nn.functional = functional
    torch.nn = nn
    sys.modules.update({"torch": torch, "torch.nn": nn, "torch.nn.functional": functional})


def without_loader():
    """Lets the package be imported without the library that only its data loader uses."""
    if importlib.util.find_spec("transformers") is None:
        sys.modules["transformers"] = types.ModuleType("transformers")
        sys.modules["transformers"].AutoTokenizer = None


def main():
    if importlib.util.find_spec("torch") is None:
        stand_in()
        print("torch is not installed: its container calls are answered by numpy")
    without_loader()
    from model_equality_testing.distribution import CompletionSample
    from model_equality_testing.pvalue import two_sample_permutation_pvalue
    from model_equality_testing.tests import IMPLEMENTED_TESTS
    import model_equality_testing.tests as tests

    results, _ = ours("kernel_test")
    path = ROOT / "crates/stats/tests/vectors/model_equality.json"
    cases = json.loads(path.read_text())["cases"]
    table = Table(f"Kernel two-sample test, {PERMUTATIONS} permutations, 100 + 100 answers of 20 symbols")
    for kernel, name in (("hamming", "mmd_hamming"), ("spectrum", "mmd_kspectrum")):
        for index, case in enumerate(cases):
            samples = [
                CompletionSample(
                    prompts=np.array(case[f"prompts{k}"]),
                    completions=np.array(case[f"completions{k}"]),
                    m=5,
                )
                for k in (1, 2)
            ]

            def test():
                # The package caches dot products of answers for the life of the process.
                for cached in (tests._get_kgrams, tests._compute_dot_product_counts):
                    cached.cache_clear()
                observed = IMPLEMENTED_TESTS[name](*samples)
                p = two_sample_permutation_pvalue(*samples, b=PERMUTATIONS, stat_type=name)(observed)
                return float(np.squeeze(observed)), float(np.squeeze(p))

            (observed, p), seconds = cpu(test, runs=1)
            label = f"{kernel}, case {index}"
            mine = results[label]["result"]
            agrees, words = close(mine["statistic"], observed, 1e-12)
            table.line(
                label,
                results[label]["seconds"],
                seconds,
                agrees,
                f"statistic: {words}; p {mine['p']:.3f} and {p:.3f}",
                bar=BAR,
            )
    table.finish()


if __name__ == "__main__":
    main()
