"""The choices of a person that shape every page."""

from __future__ import annotations

THEMES = ("light", "dark")
