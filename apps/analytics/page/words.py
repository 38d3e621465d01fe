"""What each figure means: in a few words under its name, and in a sentence among the definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SHORT: dict[str, _StrPromise] = {
    "raw_agreement": _("equal label pairs"),
    "krippendorff_alpha_nominal": _("beyond chance; gaps allowed"),
    "krippendorff_alpha_ordinal": _("beyond chance; near misses count less"),
    "krippendorff_alpha_interval": _("beyond chance; by squared distance"),
    "fleiss_kappa": _("beyond chance; any two raters"),
    "gwet_ac1": _("steadier where one label is common"),
    "gwet_ac2": _("the same; near misses count less"),
    "cohen_kappa": _("beyond chance"),
    "cohen_kappa_linear": _("near misses count less, by distance"),
    "cohen_kappa_quadratic": _("near misses count less, by squared distance"),
    "cohen_kappa_mean": _("every two raters"),
    "cohen_kappa_linear_mean": _("every two raters; by distance"),
    "cohen_kappa_quadratic_mean": _("every two raters; by squared distance"),
    "accuracy": _("items with the majority’s label"),
    "macro_f1": _("mean over the labels"),
    "kappa_vs_majority": _("the same beyond chance"),
    "kappa_vs_majority_quadratic": _("beyond chance; near misses count less"),
    "pearson": _("on a line with people’s mean"),
    "spearman": _("in the same order as people’s mean"),
    "judge_human_agreement": _("single labels it agrees with"),
    "human_human_agreement": _("the ceiling, in the same units"),
    "agreement_difference": _("above 0: nearer than people are"),
    "judge_kappa": _("each person left out in turn"),
    "human_kappa": _("the ceiling, in the same units"),
    "kappa_difference": _("above 0: nearer than people are"),
    "judge_pearson": _("each person left out in turn"),
    "human_pearson": _("the ceiling, in the same units"),
    "consistency": _("swap consistency"),
    "bias_first": _("the order moves it to the first"),
    "bias_second": _("the order moves it to the second"),
    "conflict": _("the other response wins when swapped"),
    "agreement_both_orders": _("the majority’s label, twice"),
}

DEFINITIONS: dict[str, _StrPromise] = {
    "raw_agreement": _("The share of pairs of labels on the same item that are equal, as a mean over items."),
    "krippendorff_alpha_nominal": _(
        "1 − observed / expected disagreement (Krippendorff 2011): 1 is full agreement, 0 what chance would give. "
        "Raters may skip items; an item with one label takes no part. “Beyond chance” on this page means that the "
        "whole interval lies above 0, “well beyond” above 0.4, “far beyond” above 0.8."
    ),
    "krippendorff_alpha_ordinal": _(
        "Krippendorff’s α where a disagreement weighs more the more labels lie between the two levels. “Beyond chance” "
        "on this page means that the whole interval lies above 0, “well beyond” above 0.4, “far beyond” above 0.8."
    ),
    "krippendorff_alpha_interval": _(
        "Krippendorff’s α where a disagreement weighs by the squared difference of scores."
    ),
    "fleiss_kappa": _(
        "1 − observed / expected disagreement of two raters drawn at random (Fleiss 1971, for unequal numbers of "
        "raters after Gwet 2014)."
    ),
    "gwet_ac1": _(
        "Agreement beyond chance where chance is guessing on hard items only (Gwet 2008), so one common label moves it "
        "less than κ."
    ),
    "gwet_ac2": _("AC1 with quadratic weights over the declared scale."),
    "cohen_kappa": _(
        "1 − observed / expected disagreement of these two raters (Cohen 1960): 1 is full agreement, 0 what their own "
        "shares of each label would give by chance."
    ),
    "cohen_kappa_linear": _("κ where a disagreement weighs by the distance of the two levels (Cohen 1968)."),
    "cohen_kappa_quadratic": _("κ where a disagreement weighs by the squared distance of the two levels."),
    "cohen_kappa_mean": _("The mean of Cohen’s κ over every two raters (Light 1971); pairs without a κ are left out."),
    "cohen_kappa_linear_mean": _("The same with κ weighted by the distance of the two levels."),
    "cohen_kappa_quadratic_mean": _("The same with κ weighted by the squared distance of the two levels."),
    "accuracy": _(
        "The share of items on which the judge gives the label that most people gave; even splits are left out."
    ),
    "macro_f1": _("F1 of each label against the majority, as a plain mean over all labels of the scale."),
    "kappa_vs_majority": _("Cohen’s κ of the judge with the people’s majority."),
    "kappa_vs_majority_quadratic": _("The same, weighted by the squared distance of the two levels."),
    "pearson": _("Correlation of the judge’s scores with the mean score of people."),
    "spearman": _("Rank correlation of the judge’s scores with the mean score of people."),
    "judge_human_agreement": _(
        "The share of single labels of people that equal the judge’s, pooled over items; a tie agrees with a tie."
    ),
    "human_human_agreement": _("The share of pairs of people’s labels on the same item that are equal, pooled."),
    "agreement_difference": _("The judge with people minus people with one another, from the same resamples."),
    "judge_kappa": _("κ of the judge with the majority of the other people, as a mean over people left out in turn."),
    "human_kappa": _("κ of each person with the majority of the other people, as a mean."),
    "kappa_difference": _("The judge’s κ minus people’s, from the same resamples."),
    "judge_pearson": _("Correlation of the judge with the mean of the other people, each person left out in turn."),
    "human_pearson": _("Correlation of each person with the mean of the other people."),
    "consistency": _("The share of pairs on which the judge gives the same verdict in both orders."),
    "bias_first": _("The share of pairs on which the verdict moves towards whichever response is shown first."),
    "bias_second": _("The share of pairs on which the verdict moves towards whichever response is shown second."),
    "conflict": _("The share of pairs on which one response wins in one order and the other in the other."),
    "agreement_both_orders": _("The share of pairs on which the judge gives the people’s majority in both orders."),
}
