"""The forms of the desk and of the leads' pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.annotation.models import Round
from apps.core.text import validate_line, validate_prose
from apps.datasets.models import Dataset
from apps.projects.models import Project
from apps.rubrics.models import RubricVersion

if TYPE_CHECKING:
    _DatasetChoice = forms.ModelChoiceField[Dataset]
    _VersionChoice = forms.ModelChoiceField[RubricVersion]
else:  # generic for the type checker only
    _DatasetChoice = _VersionChoice = forms.ModelChoiceField


class _DatasetField(_DatasetChoice):
    def label_from_instance(self, obj: Any) -> str:
        return gettext("%(name)s (%(count)d items)") % {"name": obj.name, "count": obj.item_count}


class _VersionField(_VersionChoice):
    def label_from_instance(self, obj: Any) -> str:
        return gettext("%(name)s, version %(number)d") % {"name": obj.rubric.name, "number": obj.number}


class RoundForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120, validators=[validate_line])
    dataset = _DatasetField(
        label=_("Dataset"), queryset=Dataset.objects.none(), help_text=_("The items that are given out.")
    )
    rubric_version = _VersionField(
        label=_("Rubric"),
        queryset=RubricVersion.objects.none(),
        help_text=_("Only items that this rubric asks something about are given out."),
    )
    overlap = forms.IntegerField(
        label=_("People for each item"),
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_("Three is usual: it shows where people disagree. 1 to 50."),
    )
    lease_minutes = forms.IntegerField(
        label=_("Minutes an item is held"),
        initial=30,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text=_("An item that is not answered within this time is given to someone else."),
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        datasets = project.datasets.filter(archived_at__isnull=True)
        versions = RubricVersion.objects.filter(
            rubric__project=project, rubric__archived_at__isnull=True, status=RubricVersion.Status.PUBLISHED
        )
        choices = self.fields["dataset"], self.fields["rubric_version"]
        choices[0].queryset = datasets  # type: ignore[attr-defined]
        choices[1].queryset = versions.select_related("rubric").order_by("rubric__name", "-number")  # type: ignore[attr-defined]
        # What came last is most likely what is to be labelled now.
        choices[0].initial, choices[1].initial = datasets.order_by("-pk").first(), versions.order_by("-pk").first()
        self.fields["overlap"].initial = project.overlap


class FlagForm(forms.Form):
    note = forms.CharField(
        label=_("What is wrong with it?"),
        max_length=2000,
        validators=[validate_prose],
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("A lead reads this. The item goes to someone else, and you get the next one."),
    )


class StatusForm(forms.Form):
    status = forms.ChoiceField(choices=Round.Status.choices)
