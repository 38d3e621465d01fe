"""Forms of datasets: what an items list is filtered by, and what may be changed about a dataset."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from apps.core import figures
from apps.core.text import validate_line, validate_prose
from apps.datasets.models import Dataset, Item
from apps.datasets.selectors import Facets, ItemFilter, language_name

_YES_NO = {"yes": True, "no": False, "": None}


class ItemFilterForm(forms.Form):
    """A GET form over what the dataset has; `wanted` is what it asks for."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        validators=[validate_line],
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": _("Id or text"), "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    kind = forms.TypedChoiceField(label=_("Kind"), required=False, coerce=int, empty_value=None)
    scenario = forms.ChoiceField(label=_("Scenario"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    system = forms.TypedChoiceField(label=_("System"), required=False, coerce=int, empty_value=None)
    reference = forms.TypedChoiceField(
        label=_("Reference"),
        required=False,
        choices=[("", pgettext_lazy("with or without a reference", "Any")), ("yes", _("Yes")), ("no", _("No"))],
        coerce=_YES_NO.__getitem__,
        empty_value=None,
    )
    judged = forms.TypedChoiceField(
        label=_("Judged"),
        required=False,
        choices=[("", pgettext_lazy("judged or not", "Any")), ("yes", _("Yes")), ("no", _("No"))],
        coerce=_YES_NO.__getitem__,
        empty_value=None,
    )

    def __init__(self, data: Any, *, facets: Facets, systems: bool) -> None:
        super().__init__(data)
        kinds = [(kind.value, kind.label) for kind in Item.Kind if kind in facets.kinds]
        self._offer("kind", pgettext_lazy("any kind", "Any"), kinds)
        self._offer("scenario", pgettext_lazy("any scenario", "Any"), [(name, name) for name in facets.scenarios])
        languages = [(code, language_name(code)) for code in facets.languages]
        self._offer("language", pgettext_lazy("any language", "Any"), languages)
        self._offer("system", pgettext_lazy("any system", "Any"), facets.systems if systems else ())

    def _offer(self, name: str, anything: Any, choices: Any) -> None:
        """What there is to choose; a filter that can change nothing is left out."""
        choices = list(choices)
        if len(choices) < (2 if name == "kind" else 1):
            del self.fields[name]
            return
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", anything), *choices]

    @property
    def wanted(self) -> ItemFilter:
        return ItemFilter(**{name: value for name, value in self.cleaned_data.items() if value is not None})


def _explained(label: Any, why: Any) -> Any:
    return format_html('<span class="strong">{}</span> <span class="soft">{}</span>', label, why)


SAMPLING_WHY = {
    Dataset.Sampling.UNKNOWN: _("Nobody wrote it down. Results then hold for these items only."),
    Dataset.Sampling.RANDOM: _("Each item had the same chance. Results then hold for everything it was drawn from."),
    Dataset.Sampling.ALL: _("Nothing was left out, so there is nothing to generalise to."),
    Dataset.Sampling.SELECTED: _("Chosen for a reason, such as being hard. Results hold for these items only."),
}


def sampling_choices() -> list[tuple[str, Any]]:
    """Each way of sampling with a line on what follows from it, in the language of the request."""
    return [(way.value, _explained(way.label, SAMPLING_WHY[way])) for way in Dataset.Sampling]


class DatasetField(forms.ModelChoiceField[Dataset]):
    """A choice among datasets, each with how many items it has."""

    def label_from_instance(self, obj: Dataset) -> str:
        return ngettext("%(name)s, %(count)s item", "%(name)s, %(count)s items", obj.item_count) % {
            "name": obj.name,
            "count": figures.count(obj.item_count),
        }


class DatasetForm(forms.ModelForm[Dataset]):
    description = forms.CharField(
        label=_("Description"),
        max_length=2000,
        required=False,
        validators=[validate_prose],
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Where the items come from and what they are for. Leads see it on the list of datasets."),
    )

    class Meta:
        model = Dataset
        fields = ("description", "sampling")
        widgets: ClassVar[dict[str, Any]] = {"sampling": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["sampling"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = sampling_choices()
