"""The shared pieces of a page: `{% load components %}`. templates/components/README.md shows each one in use."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from apps.core.icons import PATHS

register = template.Library()


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """An inline icon, hidden from screen readers: the word beside it speaks. `{% icon "check" "s" %}` is small."""
    drawing = mark_safe(PATHS[name])  # noqa: S308 -- our own constant
    css = f"icon {classes}".strip()
    return format_html('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', css, drawing)


@register.simple_tag
def page_language() -> str:
    """The `lang` of the page. Chinese is written with its region, as the fonts expect."""
    language = get_language() or "en"
    return "zh-CN" if language.startswith("zh") else language
