"""How a run's page writes times and verdicts."""

from __future__ import annotations

from datetime import timedelta

from django import template
from django.utils.translation import gettext as _

from apps.judging.models import Output
from apps.judgments.models import Order, Status, Verdict
from apps.rubrics.models import Criterion

register = template.Library()


@register.filter
def duration(value: timedelta | None) -> str:
    """`4 min 38 s`: the two largest units; nothing for None."""
    if value is None:
        return ""
    seconds = max(0, round(value.total_seconds()))
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": seconds}
    if seconds < 3600:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": seconds // 60, "seconds": seconds % 60}
    if seconds < 86400:
        return _("%(hours)d h %(minutes)d min") % {"hours": seconds // 3600, "minutes": seconds % 3600 // 60}
    return _("%(days)d d %(hours)d h") % {"days": seconds // 86400, "hours": seconds % 86400 // 3600}


@register.filter
def seconds(value: float | None) -> str:
    """How long an answer took: `0.9 s`, and what a baseline takes in milliseconds."""
    if value is None:
        return ""
    if value < 0.001:
        return _("under 1 ms")
    if value < 0.1:
        return _("%(milliseconds)d ms") % {"milliseconds": round(value * 1000)}
    return _("%(seconds)s s") % {"seconds": f"{value:.1f}"}


@register.filter
def answer(output: Output) -> str:
    """What was read from the output, as it stands on a badge."""
    if output.status != Status.OK:
        return status_word(Status(output.status))
    if output.verdict is not None:
        return {Verdict.A: "A", Verdict.TIE: _("tie"), Verdict.B: "B"}[Verdict(output.verdict)]
    if output.choice is not None:
        options = output.criterion.options
        return str(options[output.choice]["label"]) if output.choice < len(options) else str(output.choice)
    return f"{output.score:g}"


@register.filter
def order_word(output: Output) -> str:
    """`AB` or `BA` for a pair; nothing for a single, which has no order."""
    return Order(output.order).label if output.criterion.kind == Criterion.Kind.PAIR else ""


def status_word(status: Status) -> str:
    """The status in the reader's language."""
    return {
        Status.OK: _("read"),
        Status.UNPARSED: _("unparsed"),
        Status.TRUNCATED: _("truncated"),
        Status.REFUSED: _("refused"),
        Status.ERROR: _("error"),
    }[status]


@register.filter
def status_name(status: Status | None) -> str:
    """`status_word` for templates; nothing for None."""
    return "" if status is None else status_word(Status(status))
