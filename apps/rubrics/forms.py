from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.rubrics.models import RubricVersion
from apps.rubrics.source import SIZE_LIMIT


class VersionField(forms.ModelChoiceField[RubricVersion]):
    """A choice among rubric versions."""

    def label_from_instance(self, obj: RubricVersion) -> str:
        return _("%(rubric)s, version %(number)s") % {"rubric": obj.rubric.name, "number": obj.number}


class SourceForm(forms.Form):
    """A rubric as a file or as text; a file that is chosen wins over the text."""

    file = forms.FileField(
        label=gettext_lazy("A YAML or JSON file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml,.json"}),
    )
    source = forms.CharField(
        label=gettext_lazy("The rubric’s text"),
        strip=False,
        error_messages={"required": gettext_lazy("Choose a file, or write the rubric here.")},
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "wrap": "off", "class": "code"}),
    )
    source_name = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].required = not self.files.get("file")

    def clean_file(self) -> UploadedFile[Any] | None:
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file is not None and file.size is not None and file.size > SIZE_LIMIT:
            raise forms.ValidationError(
                _("%(name)s is larger than %(size)s KB. A rubric is a short text: is this the right file?")
                % {"name": file.name, "size": SIZE_LIMIT >> 10}
            )
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        file = data.get("file")
        if file is not None:
            try:
                data["source"] = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", _("The file is not UTF-8 text. Save it as UTF-8 and upload it again."))
            data["source_name"] = file.name
        if "\x00" in data.get("source", ""):
            self.add_error("source", _("The text holds a NUL character. Remove it."))
        elif file is not None and "file" not in self.errors and not data["source"].strip():
            self.add_error("file", _("The file is empty."))
        data["source_name"] = data.get("source_name") or "rubric.yaml"
        return data
