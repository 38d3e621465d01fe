"""What every statistic returns: a value with its interval and its n, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

# Why an estimate, or only its interval, is not defined.
NO_OVERLAP: Final = "no_overlap"  # no item has two ratings to compare
SINGLE_CATEGORY: Final = "single_category"  # all ratings are the same: chance agreement is 1
ZERO_VARIANCE: Final = "zero_variance"  # one side never varies: nothing to correlate
TOO_FEW_ITEMS: Final = "too_few_items"  # one independent unit: nothing to resample
NO_VALID_VERDICTS: Final = "no_valid_verdicts"  # judged, but no verdict could be read
NO_HUMANS: Final = "no_humans"  # no human to compare with
BELOW_MINIMUM: Final = "below_minimum"  # fewer annotators or items than the procedure asks for
NOT_ORDERED: Final = "not_ordered"  # the categories have no order
NOT_NUMERIC: Final = "not_numeric"  # the categories are not scores
NOT_WHOLE: Final = "not_whole"  # scores between the levels of the scale
ONE_ORDER: Final = "one_order"  # never shown in both orders
NO_SPREAD: Final = "no_spread"  # every resample gives the same value: it says nothing about the error
NOT_RESAMPLED: Final = "not_resampled"  # a count of test decisions, each with an error of its own
MOSTLY_UNDEFINED: Final = "mostly_undefined"  # most resamples leave the statistic undefined

# What to know about a figure that is given.
ONE_SIDED: Final = "one_sided_bound"  # no disagreement seen: exact lower bound, no upper end to estimate
UNSTABLE: Final = "interval_unstable"  # more than 5 % of the resamples were undefined
RARE_CATEGORY: Final = "few_rare_category_items"  # under 50 items and a category under 10 %: no method covers
NORMAL: Final = "normal_interval"  # normal interval from the jackknife; resampling would not fit
TWO_HUMANS: Final = "two_humans"  # at most two humans an item: the other one is no consensus
EMPTY_CLASS: Final = "empty_class"  # a class nobody predicted or that never occurs counts as 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval, or the reason why it has none. Never NaN, never infinite.

    `reason` says why `estimate` is None or, where it is not, why `ci` is. `flags` say what to know about the figure.
    """

    estimate: float | None
    ci: tuple[float, float] | None = None
    n: int = 0
    reason: str | None = None
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        figures = [] if self.estimate is None else [self.estimate, *(self.ci or ())]
        if not all(map(math.isfinite, figures)):
            raise ValueError(f"an estimate must be finite, not {figures}")
        if self.estimate is None and (self.reason is None or self.ci is not None):
            raise ValueError("an undefined estimate has a reason and no interval")

    @classmethod
    def undefined(cls, reason: str, n: int = 0) -> Estimate:
        return cls(None, n=n, reason=reason)

    def to_dict(self) -> dict[str, Any]:
        """The STAT shape of the report; `flags` only where there are any."""
        stat: dict[str, Any] = {
            "estimate": self.estimate,
            "ci": None if self.ci is None else list(self.ci),
            "n": self.n,
            "reason": self.reason,
        }
        if self.flags:
            stat["flags"] = list(self.flags)
        return stat
