"""The shared pieces of a page, loaded everywhere as builtins. templates/components/README.md shows each one in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.template.context import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core import figures, markdown, plots
from apps.core.icons import PATHS
from apps.core.said import told as told_by

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


# ── Figures ──────────────────────────────────────────────────────────────────


@register.filter
def percent(value: float | None, digits: int = 1) -> str:
    """`{{ 0.784|percent }}` is `78.4 %`; nothing for None, since a missing share is no 0."""
    return "" if value is None else figures.percent(float(value), int(digits))


@register.filter
def decimal(value: float | None, digits: int = 2) -> str:
    return "" if value is None else figures.number(float(value), int(digits))


@register.filter
def count(value: int | None) -> str:
    """`{{ 6180|count }}` is `6,180`."""
    return "" if value is None else figures.count(int(value))


@register.simple_tag
def stat(
    estimate: object, percent: bool = False, digits: int | None = None, signed: bool = False, n: bool = True
) -> SafeString:
    """A whole figure on one line: value, interval and n; or why there is none."""
    figure = figures.describe(estimate, as_percent=percent, digits=digits, signed=signed)
    details = [part for part in (figure.interval, figure.n if n else "") if part]
    parts: list[SafeString] = []
    if figure.value:
        parts.append(format_html('<span class="strong num">{}</span>', figure.value))
    if figure.why:
        parts.append(format_html('<span class="quiet">{}</span>', figure.why))
    if details:
        parts.append(format_html('<span class="ci num">{}</span>', ", ".join(details)))
    parts.extend(format_html('<span class="quiet xs">{}</span>', flag) for flag in figure.flags)
    return mark_safe(" ".join(parts))  # noqa: S308 -- every part is escaped


@register.simple_tag
def stat_value(estimate: object, percent: bool = False, digits: int | None = None, signed: bool = False) -> str:
    """The value alone, for a tile's figure; a dash where it is undefined, with the reason in `stat_note` under it."""
    return figures.describe(estimate, as_percent=percent, digits=digits, signed=signed).value or "–"


@register.simple_tag
def stat_note(
    estimate: object, percent: bool = False, digits: int | None = None, signed: bool = False, n: bool = True
) -> SafeString:
    """What stands under a figure: interval and n, or the reason why it is undefined."""
    figure = figures.describe(estimate, as_percent=percent, digits=digits, signed=signed)
    parts = [format_html("<span>{}</span>", figure.why)] if figure.why else []
    if figure.interval:
        text = f"{figure.interval}, {figure.n}" if n else figure.interval
        parts.append(format_html("<span>{}</span>", text))
    elif n:
        parts.append(format_html('<span class="nowrap">{}</span>', figure.n))
    parts.extend(format_html("<span>{}</span>", flag) for flag in figure.flags)
    return mark_safe(" ".join(parts))  # noqa: S308 -- every part is escaped


@register.simple_tag
def interval_plot(
    low: float,
    estimate: float,
    high: float,
    axis_low: float,
    axis_high: float,
    kind: str = "",
    tick: float | None = None,
) -> SafeString:
    """`{% interval_plot 0.56 0.61 0.66 0 1 "human" %}`; `tick` marks a threshold."""
    ticks = () if tick is None else (tick,)
    return plots.interval(low, estimate, high, axis_low, axis_high, kind, ticks)


@register.simple_tag
def stat_plot(
    estimate: object, axis_low: float = 0, axis_high: float = 1, kind: str = "", tick: float | None = None
) -> SafeString:
    """`interval_plot` of a stat; nothing where it is undefined."""
    ends = figures.ends(estimate)
    return (
        SafeString()
        if ends is None
        else plots.interval(*ends, axis_low, axis_high, kind, () if tick is None else (tick,))
    )


@register.simple_tag
def stat_row(
    estimate: object, axis_low: float = 0, axis_high: float = 1, kind: str = "", grid: Iterable[float] = ()
) -> SafeString:
    """The plot cell of a row in `table.dots`; nothing where it is undefined."""
    ends = figures.ends(estimate)
    return SafeString() if ends is None else plots.row(*ends, axis_low, axis_high, kind, grid)


@register.simple_tag
def stat_axis(labels: Iterable[tuple[float, str]], axis_low: float = 0, axis_high: float = 1) -> SafeString:
    return plots.axis(labels, axis_low, axis_high)


@register.simple_tag
def progress(value: float, maximum: float, label: str, tall: bool = False) -> SafeString:
    """A bar for how far something is; `label` is what screen readers call it. The figures stand beside it."""
    css = "progress tall" if tall else "progress"
    # A bar without a maximum would be "busy": nothing to do is drawn as nothing done.
    return format_html(
        '<progress class="{}" value="{}" max="{}" aria-label="{}"></progress>', css, value, maximum or 1, label
    )


# ── What models and people wrote ─────────────────────────────────────────────


@register.filter
def lang_of(text: str) -> str:
    return markdown.lang_of(text)


@register.simple_tag
def prose(text: str, classes: str = "", raw: bool = False) -> SafeString:
    """Item text in its own language and direction: rendered Markdown, or with `raw` every character as written."""
    language = markdown.lang_of(text)
    return format_html(
        '<div class="{}"{} dir="auto">{}</div>',
        f"prose {classes}".strip(),
        format_html(' lang="{}"', language) if language else "",
        markdown.plain(text) if raw else markdown.render(text),
    )


# ── Pieces ───────────────────────────────────────────────────────────────────


@register.filter
def told(text: str) -> str:
    """A sentence of a library (apps.core.said) in the reader's language."""
    return told_by(text, _)


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """One form field as the look draws it: label, hint, control, errors."""
    return bound.as_field_group()


@register.simple_tag
def badge(text: str, kind: str = "", icon_name: str = "") -> SafeString:
    """`{% badge "Running" "good" "half" %}`. `kind`: good, warn, bad, human, judge or nothing.

    A warn or bad one needs its icon too: colour alone says nothing.
    """
    return format_html(
        '<span class="{}">{}{}</span>', f"badge {kind}".strip(), icon(icon_name) if icon_name else "", text
    )


@register.simple_block_tag
def page_head(content: str, title: str, lede: str = "", crumb: str = "", crumb_url: str = "") -> SafeString:
    """The head of a page; what stands inside are its actions."""
    actions = content.strip()
    return format_html(
        '<header class="page-head">{}<div class="row apart"><h1>{}</h1>{}</div>{}</header>',
        format_html(
            '<p class="crumb"><a href="{}">{}</a> {} {}</p>', crumb_url, crumb, icon("chevron-right", "s"), title
        )
        if crumb
        else "",
        title,
        format_html('<div class="row">{}</div>', mark_safe(actions)) if actions else "",  # noqa: S308 -- rendered template
        format_html("<p>{}</p>", lede) if lede else "",
    )


@register.simple_block_tag
def tile(content: str, label: str, figure: str = "", unit: str = "") -> SafeString:
    """One tile of `<div class="tiles">`; what stands inside goes under the figure."""
    return format_html(
        '<div class="tile"><p class="label">{}</p><p class="figure">{}{}</p>{}</div>',
        label,
        figure,
        format_html(" <small>{}</small>", unit) if unit else "",
        mark_safe(content.strip()),  # noqa: S308 -- rendered template
    )


_NOTE_ICONS = {"": "info", "good": "check", "warn": "warning", "bad": "warning"}


@register.simple_block_tag
def note(content: str, kind: str = "") -> SafeString:
    """A remark on the page. `kind`: good, warn, bad or nothing. A bad one is read out at once."""
    return format_html(
        '<div class="{}"{}>{}<span>{}</span></div>',
        f"note {kind}".strip(),
        mark_safe(' role="alert"') if kind == "bad" else "",
        icon(_NOTE_ICONS[kind]),
        mark_safe(content.strip()),  # noqa: S308 -- rendered template
    )


@register.simple_block_tag
def empty_state(content: str, title: str) -> SafeString:
    """What a page says while it has nothing to show: why, and the next step inside."""
    return format_html(
        '<div class="empty"><h2>{}</h2>{}</div>',
        title,
        mark_safe(content.strip()),  # noqa: S308 -- rendered template
    )


@register.simple_block_tag
def dialog(content: str, id: str, title: str) -> SafeString:
    """Opened by any `<button type="button" data-dialog-open="ID">`."""
    return format_html(
        '<dialog id="{0}" aria-labelledby="{0}-title"><div class="dialog-head"><h2 id="{0}-title">{1}</h2>'
        '<button class="btn plain icon-only" type="button" data-dialog-close aria-label="{2}">{3}</button></div>'
        '<div class="dialog-body stack">{4}</div></dialog>',
        id,
        title,
        _("Close"),
        icon("close"),
        mark_safe(content.strip()),  # noqa: S308 -- rendered template
    )


@register.simple_tag
def tabs(entries: Sequence[tuple[str, str, bool]], label: str) -> SafeString:
    """Pages side by side: (text, address, whether it is this one)."""
    return format_html(
        '<nav class="tabs" aria-label="{}">{}</nav>',
        label,
        format_html_join(
            "",
            '<a href="{}"{}>{}</a>',
            (
                (address, mark_safe(' aria-current="page"') if current else "", text)
                for text, address, current in entries
            ),
        ),
    )


@register.inclusion_tag("components/problems.html")
def problems(found: Iterable[object], total: int | None = None) -> dict[str, Any]:
    """What is wrong with a file, line by line. `total` where `found` is only the first part of it."""
    shown = list(found)
    return {"problems": shown, "more": max(0, (total or 0) - len(shown))}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: Context, page: Page[Any], name: str = "page") -> dict[str, Any]:
    """Earlier and later pages of a list, other filters kept; nothing where there is one page."""
    request = context.get("request")

    def address(number: int) -> str:
        query = request.GET.copy() if request is not None else QueryDict(mutable=True)
        query[name] = str(number)
        return f"?{query.urlencode()}"

    return {
        "page": page,
        "first": page.start_index(),
        "last": page.end_index(),
        "previous": address(page.previous_page_number()) if page.has_previous() else "",
        "next": address(page.next_page_number()) if page.has_next() else "",
    }
