"""The parts of a run's page that change while it runs: the same HTML for the first load and for the live socket."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils import timezone

from apps.judging import selectors
from apps.judging.models import JudgeRun
from apps.judging.progress import progress
from apps.judgments.models import Status

#: the element ids of the parts are `run-` and these names; their templates are judging/_NAME.html
PARTS = ("state", "progress", "tiles", "feed")


def status_named(name: str) -> Status | None:
    """The status of that name ("unparsed"…), or None."""
    return next((status for status in Status if status.label == name), None)


def fragments(run: JudgeRun, *, only: Status | None = None, swap: bool = False) -> dict[str, str]:
    """Each part's HTML by name.

    Args:
        only: outputs of this status in the feed.
        swap: with the attribute by which htmx puts it in the place of the part on the page.
    """
    context = {
        "run": run,
        "progress": progress(run, selectors.shards_of(run), now=timezone.now()),
        "outputs": selectors.latest_outputs(run, status=only),
        "several_criteria": run.rubric_version.criteria.count() > 1,
        "only": only,
        "swap": swap,
    }
    return {name: render_to_string(f"judging/_{name}.html", context) for name in PARTS}
