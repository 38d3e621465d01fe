"""The words for what the report says in codes: coefficients, reasons, flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

FIGURES: dict[str, _StrPromise] = {
    "raw_agreement": _("Raw agreement"),
    "fleiss_kappa": _("Fleiss’ κ"),
    "krippendorff_alpha_nominal": _("Krippendorff’s α, nominal"),
    "krippendorff_alpha_ordinal": _("Krippendorff’s α, ordinal"),
    "krippendorff_alpha_interval": _("Krippendorff’s α, interval"),
    "gwet_ac1": _("Gwet’s AC1"),
    "gwet_ac2": _("Gwet’s AC2, quadratic"),
    "cohen_kappa": _("Cohen’s κ"),
    "cohen_kappa_linear": _("Cohen’s κ, linear"),
    "cohen_kappa_quadratic": _("Cohen’s κ, quadratic"),
    "cohen_kappa_mean": _("Cohen’s κ, mean of all pairs"),
    "cohen_kappa_linear_mean": _("Cohen’s κ, linear, mean of all pairs"),
    "cohen_kappa_quadratic_mean": _("Cohen’s κ, quadratic, mean of all pairs"),
    "accuracy": _("Accuracy against the majority"),
    "macro_precision": _("Precision, macro"),
    "macro_recall": _("Recall, macro"),
    "macro_f1": _("F1, macro"),
    "kappa_vs_majority": _("κ with the majority"),
    "kappa_vs_majority_linear": _("κ with the majority, linear"),
    "kappa_vs_majority_quadratic": _("κ with the majority, quadratic"),
    "pearson": _("Pearson’s r with the mean score"),
    "spearman": _("Spearman’s ρ with the mean score"),
    "kendall_tau_b": _("Kendall’s τ-b with the mean score"),
    "accuracy_AB": _("Accuracy in the order AB alone"),
    "accuracy_BA": _("Accuracy in the order BA alone"),
    "consistency": _("Same verdict in both orders"),
    "consistency_decided": _("Same verdict, where neither is a tie"),
    "consistency_unread_counts_against": _("Same verdict, unread answers counting against"),
    "bias_first": _("Leans to the response shown first"),
    "bias_second": _("Leans to the response shown second"),
    "bias_direction": _("First minus second"),
    "bias_delta": _("First minus second, without sign"),
    "conflict": _("Opposite verdicts"),
    "agreement_both_orders": _("Right in both orders"),
    "agreement_single_order": _("Right in the order AB"),
    "judge_human_agreement": _("Judge with each human vote"),
    "human_human_agreement": _("Humans with one another, by vote"),
    "agreement_difference": _("Judge minus humans, by vote"),
    "judge_human_agreement_without_ties": _("Judge with each human vote, without ties"),
    "human_human_agreement_without_ties": _("Humans with one another, without ties"),
    "agreement_difference_without_ties": _("Judge minus humans, without ties"),
    "human_kappa": _("A human with the other humans, κ"),
    "judge_kappa": _("The judge with the same humans, κ"),
    "kappa_difference": _("Judge minus human, κ"),
    "human_accuracy": _("A human with the other humans, accuracy"),
    "judge_accuracy": _("The judge with the same humans, accuracy"),
    "accuracy_difference": _("Judge minus human, accuracy"),
    "human_pearson": _("A human with the other humans, r"),
    "judge_pearson": _("The judge with the same humans, r"),
    "pearson_difference": _("Judge minus human, r"),
    "winning_rate": _("Winning rate ω"),
    "advantage_probability": _("Advantage probability ρ"),
}

REASONS: dict[str, _StrPromise] = {
    "no_overlap": _("no item has two ratings to compare"),
    "single_category": _("all ratings are the same category"),
    "zero_variance": _("one side never varies"),
    "too_few_items": _("one item is too few for an interval"),
    "no_valid_verdicts": _("no answer could be read as a verdict"),
    "no_humans": _("no human judged this"),
    "below_minimum": _("too few items with several humans"),
    "not_ordered": _("the categories have no order"),
    "not_numeric": _("the categories are not scores"),
    "not_whole": _("some scores lie between the levels of the scale"),
    "one_order": _("never judged in both orders"),
    "no_spread": _("every resample gives the same value"),
    "mostly_undefined": _("most resamples leave it undefined"),
    "not_resampled": _("a count of test decisions has no interval"),
}

FLAGS: dict[str, _StrPromise] = {
    "one_sided_bound": _("no disagreement seen: exact lower bound"),
    "interval_unstable": _("interval unstable"),
    "few_rare_category_items": _("too few items of a rare category"),
    "normal_interval": _("normal interval"),
    "empty_class": _("a category never occurs and counts as 0"),
    "two_humans": _("only two humans an item: no consensus"),
}
