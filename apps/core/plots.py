"""Small plots as SVG in percentages instead of a viewBox: they stretch with their column, the type does not.

The figures of a plot always stand beside it as text, so plots are hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def place(value: float, axis_low: float, axis_high: float) -> str:
    """Where on the axis, as `42.00%`; what lies beyond the axis sits on its end."""
    share = (value - axis_low) / (axis_high - axis_low) if axis_high > axis_low else 0.5
    return f"{min(1.0, max(0.0, share)) * 100:.2f}%"


def interval(
    low: float, estimate: float, high: float, axis_low: float, axis_high: float, kind: str, ticks: Iterable[float] = ()
) -> SafeString:
    """A dot with its interval on a track, as in tiles and coefficient tables. `kind`: human, judge or empty."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><line class="track" x1="0" x2="100%" y1="8" y2="8"/>{}'
        '<line class="bar" x1="{}" x2="{}" y1="8" y2="8"/><circle class="dot" cx="{}" cy="8" r="4"/></svg>',
        f"span {kind}".strip(),
        format_html_join(
            "",
            '<line class="tick" x1="{0}" x2="{0}" y1="0" y2="16"/>',
            ((place(tick, axis_low, axis_high),) for tick in ticks),
        ),
        place(low, axis_low, axis_high),
        place(high, axis_low, axis_high),
        place(estimate, axis_low, axis_high),
    )


def row(
    low: float, estimate: float, high: float, axis_low: float, axis_high: float, kind: str, grid: Iterable[float] = ()
) -> SafeString:
    """A row of a table of intervals on one axis (`table.dots`). People are squares, judges circles; 0 is the axis."""
    kind = kind if kind in {"human", "judge"} else "ink"
    at = place(estimate, axis_low, axis_high)
    mark = (
        format_html(
            '<svg x="{}" y="50%" class="plot-mark">'
            '<rect class="dot f-human" x="-6" y="-6" width="12" height="12" rx="1"/></svg>',
            at,
        )
        if kind == "human"
        else format_html('<circle class="dot f-{}" cx="{}" cy="50%" r="6"/>', kind, at)
    )
    lines = format_html_join(
        "",
        '<line class="{0}" x1="{1}" x2="{1}" y1="0" y2="100%"/>',
        (("grid" if tick else "axis", place(tick, axis_low, axis_high)) for tick in grid),
    )
    return format_html(
        '<svg class="plot row-plot" aria-hidden="true">{}'
        '<line class="bar {}" x1="{}" x2="{}" y1="50%" y2="50%"/>{}</svg>',
        lines,
        kind,
        place(low, axis_low, axis_high),
        place(high, axis_low, axis_high),
        mark,
    )


def axis(labels: Iterable[tuple[float, str]], axis_low: float, axis_high: float) -> SafeString:
    """The figures under a table of row plots."""
    return format_html(
        '<svg class="plot axis-plot" aria-hidden="true">{}</svg>',
        format_html_join(
            "",
            '<text class="t-mid t-quiet" x="{}" y="16">{}</text>',
            ((place(at, axis_low, axis_high), label) for at, label in labels),
        ),
    )
