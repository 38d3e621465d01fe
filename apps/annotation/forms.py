"""The forms of the desk and of the leads' pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from apps.annotation.models import Round
from apps.core.text import validate_line, validate_prose
from apps.datasets.forms import DatasetField
from apps.datasets.models import Dataset
from apps.datasets.selectors import active_datasets
from apps.projects.models import Project
from apps.rubrics.forms import VersionField
from apps.rubrics.models import RubricVersion
from apps.rubrics.selectors import published_versions


class RoundForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120, validators=[validate_line])
    dataset = DatasetField(
        label=_("Dataset"), queryset=Dataset.objects.none(), help_text=_("The items that are given out.")
    )
    rubric_version = VersionField(
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
        datasets, versions = active_datasets(project), published_versions(project)
        choices = self.fields["dataset"], self.fields["rubric_version"]
        choices[0].queryset = datasets  # type: ignore[attr-defined]
        choices[1].queryset = versions  # type: ignore[attr-defined]
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
