"""Statistics of agreement: arrays in, estimates out. NumPy and SciPy only; no Django.

Every function returns `Estimate`s: a value with its interval and its n, or the reason why it is not defined.
"""

from .agreement import COEFFICIENTS, agreement
from .estimate import Estimate
from .labels import MISSING, NO_VERDICT, LabelMatrix, Scale, dense_groups, majority
from .pairwise import Pair, confusion_tensor, mean_kappas, pairs
from .reference import versus_reference
from .swap import headline, swap

__all__ = [
    "COEFFICIENTS",
    "MISSING",
    "NO_VERDICT",
    "Estimate",
    "LabelMatrix",
    "Pair",
    "Scale",
    "agreement",
    "confusion_tensor",
    "dense_groups",
    "headline",
    "majority",
    "mean_kappas",
    "pairs",
    "swap",
    "versus_reference",
]
