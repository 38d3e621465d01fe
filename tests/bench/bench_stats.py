"""Time of the agreement statistics in CPU seconds on one core, beside the usual packages in the same run.

python -m tests.bench.bench_stats

Peers that would take minutes are timed on a few replicates or pairs and scaled up; the table says so.
"""

# ruff: noqa: E402  NumPy reads the number of its threads once, when it is imported

from __future__ import annotations

import os

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # one core for everyone

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import krippendorff
import numpy as np
from sklearn.metrics import cohen_kappa_score

from apps.analytics.stats.agreement import coefficients, count_units
from apps.analytics.stats.alt_test import alt_test, closer_by_label
from apps.analytics.stats.labels import LabelMatrix, Scale
from apps.analytics.stats.pairwise import confusion_tensor, disagreement, kappa_of
from apps.analytics.stats.panel import panel
from apps.analytics.stats.resample import estimates

SCALE = Scale.scores(1, 5)


@dataclass(frozen=True)
class Line:
    task: str
    ours: float
    goal: str
    reached: bool
    peer: str = ""
    theirs: float | None = None


def main() -> None:
    lines = [*panels(), *alphas(), *pairs(), alternative()]
    print(f"{'task':<48}{'ours, ms':>10}  {'beside':<40}{'ms':>12}{'ratio':>9}   goal")
    for line in lines:
        beside = f"{line.peer:<40}" + ("" if line.theirs is None else f"{1e3 * line.theirs:>12,.1f}")
        ratio = "" if line.theirs is None else f"{line.theirs / line.ours:,.0f}x"
        said = "reached" if line.reached else "MISSED"
        print(f"{line.task:<48}{1e3 * line.ours:>10.2f}  {beside:<52}{ratio:>9}   {line.goal}: {said}")


def panels() -> list[Line]:
    """Ten coefficients with BCa intervals, B = 2000."""
    seconds = {}
    memory = 0.0
    for n in (333, 100_000, 333_333):
        matrix = labels(n, 3)
        seconds[n] = cpu(lambda matrix=matrix: panel(matrix))  # type: ignore[misc]
        memory = peak_mb(lambda matrix=matrix: panel(matrix))  # type: ignore[misc]
    small, middle, large = seconds.values()
    return [
        Line("panel, 1k labels (333 x 3)", small, "", True),
        Line("panel, 100k x 3", middle, "G1 <= 30 ms", middle <= 0.030),
        Line("panel, 1M labels (333k x 3)", large, "G1 <= 40 ms", large <= 0.040),
        Line("panel, 1M beside 1k", large, "G1 <= 4 times", large / small <= 4, f"1k: {large / small:.1f} times"),
        Line("panel, 1M: extra memory", large, "G6 <= 200 MB", memory <= 200, f"{memory:.0f} MB"),
    ]


def alphas() -> list[Line]:
    lines = []
    matrix = labels(100_000, 3)
    ratings = matrix.codes.T.astype(float)
    theirs = cpu(lambda: krippendorff.alpha(reliability_data=ratings, level_of_measurement="ordinal"))
    ours = cpu(lambda: alpha_point(matrix))
    lines.append(Line("alpha, 100k x 3", ours, "G2 >= 20x", theirs >= 20 * ours, "krippendorff", theirs))
    for n, replicates, goal in ((100_000, 3, 1_000), (500, 30, 20)):
        matrix = labels(n, 3)
        theirs = naive_bootstrap(matrix, replicates) * 1_000 / replicates
        ours = cpu(lambda matrix=matrix: alpha_interval(matrix))  # type: ignore[misc]
        peer = f"krippendorff, resampled ({replicates} scaled up)"
        lines.append(
            Line(f"alpha and B = 1000, {n:,} x 3", ours, f"G2 >= {goal:,}x", theirs >= goal * ours, peer, theirs)
        )
    return lines


def pairs() -> list[Line]:
    matrix = labels(20_000, 50)
    sample = 30
    start = time.process_time()
    for b in range(1, sample + 1):
        cohen_kappa_score(matrix.codes[:, 0], matrix.codes[:, b], labels=range(5))
    theirs = (time.process_time() - start) * 1_225 / sample
    ours = cpu(lambda: all_kappas(matrix))
    peer = f"scikit-learn ({sample} pairs scaled up)"
    return [
        Line("kappa, 1,225 pairs of 50 raters x 20k", ours, "G3 <= 100 ms", ours <= 0.1),
        Line("kappa, 1,225 pairs of 50 raters x 20k", ours, "G3 >= 20x", theirs >= 20 * ours, peer, theirs),
    ]


def alternative() -> Line:
    matrix = labels(100_000, 4)
    humans, judge = matrix.codes[:, :3], matrix.codes[:, 3]
    ours = cpu(lambda: alt_test(("a", "b", "c"), closer_by_label(humans, judge, 5), epsilon=0.2))
    return Line("alternative annotator test with BCa, 100k x 3", ours, "", True)


def alpha_point(matrix: LabelMatrix) -> float:
    units, sums = count_units(matrix)
    return float(coefficients(matrix, sums)["krippendorff_alpha_ordinal"].of(units.totals()[None, :])[0])


def alpha_interval(matrix: LabelMatrix) -> object:
    units, sums = count_units(matrix)
    name = "krippendorff_alpha_ordinal"
    return estimates(units, {name: coefficients(matrix, sums)[name]}, draws=1_000)


def naive_bootstrap(matrix: LabelMatrix, replicates: int) -> float:
    rng = np.random.default_rng(0)
    ratings = matrix.codes.astype(float)
    start = time.process_time()
    for _ in range(replicates):
        rows = rng.integers(len(ratings), size=len(ratings))
        krippendorff.alpha(reliability_data=ratings[rows].T, level_of_measurement="ordinal")
    return time.process_time() - start


def all_kappas(matrix: LabelMatrix) -> object:
    tensor = confusion_tensor(matrix.codes, 5).transpose(0, 2, 1, 3).astype(np.float64)
    return kappa_of(tensor[np.triu_indices(50, 1)], disagreement(SCALE, "unweighted"))


def labels(n_items: int, n_raters: int) -> LabelMatrix:
    """Raters who agree beyond chance on a 1-5 scale."""
    rng = np.random.default_rng(n_items)
    truth = rng.integers(0, 5, n_items)
    noise = rng.integers(0, 5, (n_items, n_raters))
    codes = np.where(rng.random((n_items, n_raters)) < 0.6, truth[:, None], noise)
    return LabelMatrix(codes.astype(np.int8), SCALE)


def cpu(run: Callable[[], object], repeats: int = 5) -> float:
    """The least CPU time of a few runs, after one to warm up."""
    run()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def peak_mb(run: Callable[[], object]) -> float:
    """What a run allocates at most at one time, NumPy's arrays included."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


if __name__ == "__main__":
    main()
