"""How every form looks: `{{ form }}` and `{% field form.name %}` write the drawn `.field` markup."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

_PLAIN = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)


class Field(BoundField):
    """A form's field with the classes of the drawn controls on its widget."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        built: dict[str, Any] = super().build_widget_attrs(attrs, widget)
        widget = widget or self.field.widget
        if not widget.is_hidden and not isinstance(widget, _PLAIN):
            own = "vh" if isinstance(widget, forms.FileInput) else "input"
            built["class"] = f"{own} {built.get('class') or widget.attrs.get('class', '')}".strip()
        if self.shape == "options":
            built.pop("aria-invalid", None)  # no such thing on a radio button: the fieldset is described by the error
        return built

    @property
    def shape(self) -> str:
        """Which part of components/field.html draws it."""
        widget = self.field.widget
        if isinstance(widget, (forms.RadioSelect, forms.CheckboxSelectMultiple)):
            return "options"
        return "check" if isinstance(widget, forms.CheckboxInput) else "input"

    @property
    def says_optional(self) -> bool:
        """Only where one types: a list or a box shows by itself what leaving it means."""
        return not self.field.required and isinstance(self.field.widget, (forms.TextInput, forms.Textarea))


class Renderer(TemplatesSetting):
    form_template_name = "components/form.html"
    field_template_name = "components/field.html"
    bound_field_class = Field
