from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.datasets.forms import DatasetField
from apps.datasets.models import Dataset
from apps.exports.options import JudgmentOptions, PreferenceOptions
from apps.projects.models import Project
from apps.rubrics import selectors as rubrics
from apps.rubrics.forms import VersionField
from apps.rubrics.models import Criterion, RubricVersion


class _ExportForm(forms.Form):
    """Which judgments: of a dataset, under a rubric version."""

    dataset = DatasetField(Dataset.objects.none(), label=gettext_lazy("Dataset"), empty_label=None)
    rubric_version = VersionField(RubricVersion.objects.none(), label=gettext_lazy("Rubric"), empty_label=None)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        datasets: Any = self.fields["dataset"]
        datasets.queryset = Dataset.objects.filter(project=project)
        versions: Any = self.fields["rubric_version"]
        versions.queryset = self._versions(project)

    def _versions(self, project: Project) -> Any:
        return rubrics.published_versions(project)


class JudgmentExportForm(_ExportForm):
    prefix = "judgments"
    raters = forms.ChoiceField(
        label=gettext_lazy("Whose"),
        choices=[
            ("all", gettext_lazy("People and judges")),
            ("humans", gettext_lazy("People")),
            ("judges", gettext_lazy("Judges")),
        ],
    )
    marked = forms.BooleanField(
        label=gettext_lazy("With warm-up, gold, late and adjudicated ones; each carries its mark"),
        required=False,
        initial=True,
    )
    revisions = forms.BooleanField(label=gettext_lazy("With earlier versions of edited labels"), required=False)

    def options(self) -> JudgmentOptions:
        data = self.cleaned_data
        return JudgmentOptions(raters=data["raters"], marked=data["marked"], revisions=data["revisions"])


class PreferenceExportForm(_ExportForm):
    prefix = "preferences"
    criterion = forms.CharField(
        label=gettext_lazy("Criterion"),
        initial="overall",
        max_length=60,
        help_text=gettext_lazy("The preference that decides, by its id in the rubric."),
    )
    source = forms.ChoiceField(
        label=gettext_lazy("Whose verdict"),
        choices=[
            ("majority", gettext_lazy("The majority of people, or the adjudicated verdict where there is one")),
            ("adjudicated", gettext_lazy("Adjudicated verdicts only")),
        ],
    )
    min_raters = forms.IntegerField(
        label=gettext_lazy("At least this many people"), min_value=1, max_value=50, initial=1
    )
    min_agreement = forms.IntegerField(
        label=gettext_lazy("At least this share of them on the winning side, in percent"),
        min_value=0,
        max_value=100,
        initial=50,
        help_text=gettext_lazy("Ties and even votes are left out in any case, and counted."),
    )
    form = forms.ChoiceField(
        label=gettext_lazy("Form"),
        choices=[
            ("text", gettext_lazy("Plain text")),
            ("conversational", gettext_lazy("Conversations: lists of role and content")),
        ],
    )
    extras = forms.BooleanField(
        label=gettext_lazy("Add the item’s id and the agreement"),
        required=False,
        help_text=gettext_lazy("Some trainers refuse columns they do not know."),
    )

    def _versions(self, project: Project) -> Any:
        return rubrics.asks_for(super()._versions(project), Criterion.Kind.PAIR)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        version: RubricVersion | None = data.get("rubric_version")
        if version is not None and data.get("criterion"):
            keys = list(version.criteria.filter(kind=Criterion.Kind.PAIR).values_list("key", flat=True))
            if data["criterion"] not in keys:
                self.add_error(
                    "criterion",
                    _("The rubric has no preference of this id. It has: %(keys)s.") % {"keys": ", ".join(keys)},
                )
        return data

    def options(self) -> PreferenceOptions:
        data = self.cleaned_data
        return PreferenceOptions(
            criterion=data["criterion"],
            source=data["source"],
            min_raters=data["min_raters"],
            min_agreement=data["min_agreement"] / 100,
            form=data["form"],
            extras=data["extras"],
        )
