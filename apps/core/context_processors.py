from __future__ import annotations

from django.http import HttpRequest

from apps.core.preferences import THEMES


def frame(request: HttpRequest) -> dict[str, object]:
    """`theme`: "", "light" or "dark". Empty follows the system, and for a visitor what this browser remembers."""
    theme = getattr(getattr(request, "user", None), "theme", "")
    return {"theme": theme if theme in THEMES else ""}
