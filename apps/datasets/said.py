"""A judgment in a few words, for the page of its item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# Keyed by the labels that files use (apps.judgments.models); what is said here is in the reader's language.
_VERDICTS: dict[str, Promise] = {"tie": pgettext_lazy("verdict", "Tie")}
_STRENGTHS: dict[str, Promise] = {"slight": _("slightly better"), "much": _("much better")}
_STATUSES: dict[str, Promise] = {
    "unparsed": _("Not readable"),
    "truncated": _("Cut off"),
    "refused": _("Refused"),
    "error": _("Failed"),
}
_MARKS: dict[str, Promise] = {
    "warmup": _("Warm-up"),
    "gold": pgettext_lazy("a check item", "Gold"),
    "late": _("Late"),
    "adjudicated": _("Adjudicated"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """`judgment` is a row of `apps.judgments`; `answer` is empty where `fault` says why there is none."""

    judgment: Any
    answer: str
    #: a letter or a number, drawn as the rater's mark; a choice is written out
    short: bool
    more: tuple[str, ...]
    fault: str
    mark: str


def said(judgment: Any) -> Said:
    """In the language of the request. The judgment's criterion must be loaded."""
    status, mark = judgment.get_status_display(), judgment.get_mark_display()
    more = [str(_STRENGTHS[judgment.get_strength_display()])] if judgment.strength else []
    if judgment.both_bad:
        more.append(str(_("both bad")))
    return Said(
        judgment=judgment,
        answer=_answer(judgment),
        short=judgment.choice is None,
        more=tuple(more),
        fault="" if status == "ok" else str(_STATUSES.get(status, status)),
        mark=str(_MARKS.get(mark, mark)) if mark else "",
    )


def _answer(judgment: Any) -> str:
    if judgment.verdict is not None:
        verdict = judgment.get_verdict_display()
        return str(_VERDICTS.get(verdict, verdict))
    if judgment.score is not None:
        return f"{judgment.score:g}"
    if judgment.choice is not None:
        options = judgment.criterion.options
        option = options[judgment.choice] if judgment.choice < len(options) else {}
        return str(option.get("label") or option.get("id") or judgment.choice)
    return ""
