"""Forms of imports: the file and where it goes. What is in the file is checked by the worker that reads it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.text import validate_line
from apps.datasets.forms import DatasetField, sampling_choices
from apps.datasets.models import Dataset
from apps.datasets.selectors import active_datasets
from apps.projects.models import Project
from apps.rubrics.forms import VersionField
from apps.rubrics.models import RubricVersion
from apps.rubrics.selectors import published_versions


class UploadForm(forms.Form):
    """What every import asks for."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("JSON Lines: a text file in UTF-8 with one JSON object a line, such as items.jsonl. Any size."),
        widget=forms.FileInput(attrs={"accept": ".jsonl,.ndjson,.json,.txt,application/jsonl,application/x-ndjson"}),
        error_messages={
            "required": _("Choose a file first."),
            "missing": _("Choose a file first."),
            "empty": _("This file is empty. Choose one with at least one line."),
        },
    )
    good_rows_only = forms.BooleanField(
        label=_("Import the good rows even if others are wrong"),
        required=False,
        help_text=_(
            "Without this, one wrong line is enough for nothing to be imported. Wrong lines are listed either way."
        ),
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.project.archived_at is not None:
            raise ValidationError(_("This project is archived. Take it out of the archive to import into it."))
        return cleaned


class ItemsForm(UploadForm):
    dataset_name = forms.CharField(
        label=_("Dataset"),
        max_length=120,
        validators=[validate_line],
        help_text=_("A new name makes a new dataset. With the name of one that exists, the items are added to it."),
        widget=forms.TextInput(attrs={"list": "datasets", "autocomplete": "off"}),
    )
    sampling = forms.ChoiceField(
        label=_("How were the items chosen?"),
        widget=forms.RadioSelect,
        initial=Dataset.Sampling.UNKNOWN,
        help_text=_("Of a new dataset; what it says about results depends on it. It can be changed later."),
    )
    field_order = ("file", "dataset_name", "sampling", "good_rows_only")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["sampling"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = sampling_choices()

    def clean_dataset_name(self) -> str:
        name: str = self.cleaned_data["dataset_name"]
        if Dataset.objects.filter(project=self.project, name=name, archived_at__isnull=False).exists():
            raise ValidationError(
                _("An archived dataset has this name. Choose another one, or take that one out of the archive first.")
            )
        return name


class JudgmentsForm(UploadForm):
    dataset = DatasetField(
        label=_("Dataset"),
        queryset=Dataset.objects.none(),
        empty_label=pgettext_lazy("nothing chosen yet", "Choose…"),
        help_text=_("The one whose items were judged; each line names an item by its id."),
    )
    version = VersionField(
        label=_("Rubric"),
        queryset=RubricVersion.objects.none(),
        empty_label=pgettext_lazy("nothing chosen yet", "Choose…"),
        help_text=_("What was asked. Scores, choices and criteria have to fit it."),
    )
    field_order = ("file", "dataset", "version", "good_rows_only")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.datasets = active_datasets(self.project).filter(item_count__gt=0)
        self.versions = published_versions(self.project)
        for name, choices in (("dataset", self.datasets), ("version", self.versions)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = choices
