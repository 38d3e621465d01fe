"""What the agreement page is about: a criterion, a dataset, and whom to show."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.analytics.selectors import Judged, main
from apps.core.figures import count
from apps.datasets.models import Dataset
from apps.rubrics.models import Criterion

_SHOW = [
    ("all", gettext_lazy("People and judges")),
    ("people", gettext_lazy("People")),
    ("judges", gettext_lazy("Judges")),
]


class FilterForm(forms.Form):
    """Always bound: what the address leaves out is the project's main view."""

    criterion = forms.ChoiceField(label=gettext_lazy("Criterion"))
    dataset = forms.ChoiceField(label=gettext_lazy("Data"))
    show = forms.ChoiceField(label=gettext_lazy("Show"), choices=_SHOW)

    def __init__(self, data: dict[str, str], judged: list[Judged]) -> None:
        self._judged = judged
        super().__init__({"show": "all", **self._start(data), **data})
        criteria = {each.criterion.pk: each.criterion for each in judged}
        datasets = {each.dataset.pk: each.dataset for each in judged}
        several = len({each.version_id for each in criteria.values()}) > 1
        self.choice("criterion").choices = [(pk, _criterion(each, several)) for pk, each in criteria.items()]
        self.choice("dataset").choices = [(pk, _dataset(each)) for pk, each in datasets.items()]
        for field in self.fields.values():
            field.widget.attrs["data-submit-on-change"] = ""

    def choice(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def _start(self, data: dict[str, str]) -> dict[str, Any]:
        """The most recently judged view that fits what the address names."""
        fitting = [
            each
            for each in self._judged
            if data.get("dataset", str(each.dataset.pk)) == str(each.dataset.pk)
            and data.get("criterion", str(each.criterion.pk)) == str(each.criterion.pk)
        ]
        view = main(fitting) or main(self._judged)
        return {} if view is None else {"criterion": str(view.criterion.pk), "dataset": str(view.dataset.pk)}

    def chosen(self) -> Judged | None:
        """The chosen view; None where that criterion was never used on that dataset."""
        wanted = (int(self.cleaned_data["dataset"]), int(self.cleaned_data["criterion"]))
        return next((each for each in self._judged if (each.dataset.pk, each.criterion.pk) == wanted), None)


def _criterion(criterion: Criterion, several: bool) -> str:
    if not several:
        return criterion.name
    rubric = criterion.version.rubric.name
    return _("%(criterion)s (%(rubric)s v%(number)s)") % {
        "criterion": criterion.name,
        "rubric": rubric,
        "number": criterion.version.number,
    }


def _dataset(dataset: Dataset) -> str:
    items = ngettext("%(name)s, %(n)s item", "%(name)s, %(n)s items", dataset.item_count)
    return items % {"name": dataset.name, "n": count(dataset.item_count)}
