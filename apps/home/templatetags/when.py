from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format

register = template.Library()


@register.filter
def when(moment: datetime) -> str:
    """The time today, the weekday in the last days, the date before: short, and always true in the reader's zone."""
    local = timezone.localtime(moment)
    days = (timezone.localdate() - local.date()).days
    if days <= 0:
        return date_format(local, "H:i")
    return date_format(local, "D") if days < 7 else date_format(local, "SHORT_DATE_FORMAT")
