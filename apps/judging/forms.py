"""Forms for a new judge and a new run."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.text import validate_line
from apps.datasets.forms import DatasetField
from apps.datasets.models import Dataset
from apps.datasets.selectors import active_datasets
from apps.judging.models import JudgeConfig
from apps.judgments.models import Order
from apps.projects.models import Project
from apps.rubrics.forms import VersionField
from apps.rubrics.models import RubricVersion
from apps.rubrics.selectors import published_versions

#: what the baselines do, in one line each
BASELINES = [
    ("length", _("Longer wins: prefers the response with more characters")),
    ("rouge_l", _("Closer to the reference (ROUGE-L): for items with a reference answer")),
    ("random", _("Chance: a seeded draw, for pairs, scores and choices")),
]
ORDERS = {
    "both": (_("Both orders: each pair is judged twice, with its responses changing places"), [Order.AB, Order.BA]),
    "ab": (_("As imported: the first response is shown first"), [Order.AB]),
    "ba": (_("Swapped: the second response is shown first"), [Order.BA]),
}
LARGEST_SEED = 2**31 - 1


class JudgeForm(forms.Form):
    """A baseline judge. `params` in the cleaned data is what the judge keeps."""

    model = forms.ChoiceField(label=_("Baseline"), choices=BASELINES, widget=forms.RadioSelect)
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        validators=[validate_line],
        help_text=_("What it is called in tables and exports. It cannot change after the first run."),
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        required=False,
        min_value=0,
        max_value=LARGEST_SEED,
        help_text=_("For chance only: the same seed draws the same verdicts again. 0 if you leave it empty."),
    )

    def clean(self) -> dict[str, Any]:
        """Gather the settings that the baseline knows; a seed where nothing is drawn is an error, not ignored."""
        cleaned: dict[str, Any] = super().clean() or {}
        seed, model = cleaned.get("seed"), cleaned.get("model")
        if seed is not None and model not in {None, "random"}:
            self.add_error("seed", _("Only chance has a seed. Leave this empty."))
        cleaned["params"] = {"seed": seed or 0} if model == "random" else {}
        return cleaned


class JudgeField(forms.ModelChoiceField[JudgeConfig]):
    def label_from_instance(self, obj: JudgeConfig) -> str:
        return obj.name


class RunForm(forms.Form):
    """What a run is made of; only what the project has and can still be used is offered."""

    judge = JudgeField(label=_("Judge"), queryset=JudgeConfig.objects.none(), empty_label=None)
    dataset = DatasetField(label=_("Dataset"), queryset=Dataset.objects.none(), empty_label=None)
    rubric_version = VersionField(label=_("Rubric version"), queryset=RubricVersion.objects.none(), empty_label=None)
    orders = forms.ChoiceField(
        label=_("Orders"),
        choices=[(name, label) for name, (label, _orders) in ORDERS.items()],
        initial="both",
        help_text=_("Pairs only; an item with one response is judged once."),
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("judge", JudgeConfig.objects.filter(project=project, archived_at=None).order_by("name"))
        self._offer("dataset", active_datasets(project))
        self._offer("rubric_version", published_versions(project))
        #: what the project still has to get before it can run anything
        self.lacking = [name for name in ("judge", "dataset", "rubric_version") if not self._field(name).queryset]

    def _field(self, name: str) -> Any:
        return self.fields[name]

    def _offer(self, name: str, rows: QuerySet[Any]) -> None:
        self._field(name).queryset = rows
        self.initial.setdefault(name, rows.values_list("pk", flat=True).first())
