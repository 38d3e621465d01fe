"""Statistics of agreement: arrays in, estimates out. NumPy and SciPy only; no Django.

Every function returns `Estimate`s: a value with its interval and its n, or the reason why it is not defined.

labels      the matrix of codes, items x raters, and its scale       resample   the bootstrap over items or groups
agreement   raw, Fleiss, Krippendorff, Gwet                          pairwise   Cohen's kappa, every pair, their mean
panel       both of these at once                                    reference  accuracy, precision, recall, F1
correlation Pearson, Spearman, Kendall                               swap       consistency and position bias
ceiling     what humans reach among themselves                       alt_test   may a judge replace a human
crosscheck  alpha by a second implementation                         estimate   what comes back, and why it may not
"""

from .estimate import Estimate
from .labels import MISSING, NO_VERDICT, LabelMatrix, Scale

__all__ = ["MISSING", "NO_VERDICT", "Estimate", "LabelMatrix", "Scale"]
