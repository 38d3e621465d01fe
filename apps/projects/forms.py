"""Forms of projects: making one, its settings, inviting."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from apps.core.text import validate_line, validate_prose
from apps.projects.access import may_grant
from apps.projects.models import Project, Role

TAKEN_SLUGS = {"new"}


class NewProjectForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        validators=[validate_line],
        help_text=_("What people will look for, such as “Support answers, spring”."),
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("What new members see first. Everyone can choose another one."),
    )
    slug = forms.SlugField(
        label=_("Name in addresses"),
        max_length=60,
        required=False,
        help_text=_(
            "Small letters, digits and hyphens; cannot be changed later. Left empty, it is made from the name."
        ),
    )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].lower()
        if slug and slug != slugify(slug):
            raise ValidationError(_("Only lowercase letters, digits and hyphens, with a letter or digit at both ends."))
        if slug and (slug in TAKEN_SLUGS or Project.objects.filter(slug=slug).exists()):
            raise ValidationError(_("Another project has this name in its address. Choose another one."), code="taken")
        return slug


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only to the type checker
    name = forms.CharField(
        label=_("Name"), max_length=120, validators=[validate_line], help_text=_("Shown on top of every page.")
    )
    description = forms.CharField(
        label=_("What it is about"),
        max_length=2000,
        required=False,
        validators=[validate_prose],
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The question this project answers, in a sentence or two. Leads see it on the overview."),
    )

    class Meta:
        model = Project
        fields = (
            "name",
            "description",
            "language",
            "overlap",
            "starts_on",
            "ends_on",
            "show_context",
            "show_reference",
            "show_scenario",
            "blind_leads",
            "one_key_submit",
            "rationale",
        )
        widgets: ClassVar[dict[str, Any]] = {
            "starts_on": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            "ends_on": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            "overlap": forms.NumberInput(attrs={"inputmode": "numeric"}),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "language": _("What new members see first. Everyone can choose another one."),
            "overlap": _("How many people label each item in a new round. Three show how far people agree."),
            "starts_on": _("Before this day nobody can label. Empty: from now on."),
            "ends_on": _("After this day nobody can label. Empty: no end."),
            "show_context": _(
                "Documents or earlier turns that came with the item. Hide them only if the rubric says so."
            ),
            "show_reference": _("Helps to check facts, but makes people compare with it instead of judging."),
            "show_scenario": _("The kind of task, such as “coding”. Not needed to judge, and it may lead people on."),
            "blind_leads": _("Annotators never see which system wrote an answer. With this, leads do not either."),
            "one_key_submit": _(
                "Faster where there is one question. Without it, Enter submits. Undo works either way."
            ),
            "rationale": _("Whether annotators are asked why. Required reasons slow labelling down a lot."),
        }
        error_messages: ClassVar[dict[str, Any]] = {
            "overlap": {
                "min_value": _("At least one person has to label an item."),
                "max_value": _("At most 50 people can label an item."),
            }
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("starts_on"), cleaned.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day lies before the first one."))
        return cleaned


class InviteForm(forms.Form):
    role = forms.ChoiceField(
        label=_("Role"), help_text=_("Annotators label. Leads see results and manage the project. Admins can do all.")
    )
    note = forms.CharField(
        label=_("For whom"),
        max_length=120,
        required=False,
        validators=[validate_line],
        help_text=_("Only for your list of invitations."),
    )

    def __init__(self, *args: Any, by: Role, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(role.value, role.label) for role in Role if may_grant(by, role)]
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)
