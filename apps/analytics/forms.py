"""What the agreement page is about: a criterion, a dataset, and whom to show."""

from __future__ import annotations

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
    """Always bound: what the address leaves out is the project's main view.

    The data on offer are those judged under the criterion. Another criterion that was never asked of the data chosen
    before takes the data it was asked of last.
    """

    criterion = forms.ChoiceField(label=gettext_lazy("Criterion"))
    dataset = forms.ChoiceField(label=gettext_lazy("Data"))
    show = forms.ChoiceField(label=gettext_lazy("Show"), choices=_SHOW)

    def __init__(self, data: dict[str, str], judged: list[Judged]) -> None:
        self._judged = judged
        view = _fitting(judged, data)
        known = {str(each.dataset.pk) for each in judged}
        start = {"show": "all", "criterion": str(view.criterion.pk), "dataset": str(view.dataset.pk)}
        super().__init__(start | data | ({"dataset": start["dataset"]} if data.get("dataset") in known else {}))
        criteria = {each.criterion.pk: each.criterion for each in judged}
        datasets = {each.dataset.pk: each.dataset for each in judged if each.criterion == view.criterion}
        several = len({each.version_id for each in criteria.values()}) > 1
        self.choice("criterion").choices = [(pk, _criterion(each, several)) for pk, each in criteria.items()]
        self.choice("dataset").choices = [(pk, _dataset(each)) for pk, each in datasets.items()]
        for field in self.fields.values():
            field.widget.attrs["data-submit-on-change"] = ""

    def choice(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def chosen(self) -> Judged:
        """The chosen view; of a valid form."""
        wanted = (int(self.cleaned_data["dataset"]), int(self.cleaned_data["criterion"]))
        return next(each for each in self._judged if (each.dataset.pk, each.criterion.pk) == wanted)


def _fitting(judged: list[Judged], data: dict[str, str]) -> Judged:
    """What fits the address best: criterion and data, else the criterion, else the data, else the main view."""

    def fits(each: Judged, *names: str) -> bool:
        keys = {"criterion": str(each.criterion.pk), "dataset": str(each.dataset.pk)}
        return all(data.get(name) == keys[name] for name in names)

    for names in (("criterion", "dataset"), ("criterion",), ("dataset",), ()):
        view = main([each for each in judged if fits(each, *names)])
        if view is not None:
            return view
    raise ValueError("nothing was judged")


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
