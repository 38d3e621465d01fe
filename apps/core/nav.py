"""What the frame's navigation is made of. Who builds it decides what a person may see; the template only draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NavEntry:
    label: str
    url: str
    count: str = ""  # quiet, at the end of the line: "6,180", "v4"
    badge: str = ""  # louder than a count, for what is happening now: "1 live"
    badge_kind: str = "good"
    current: bool = False


@dataclass(frozen=True, slots=True)
class NavSection:
    entries: Sequence[NavEntry]
    label: str = ""  # no label: the entries stand alone, as the overview does
