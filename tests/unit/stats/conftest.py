from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def vector(reference_data: Path) -> Callable[[str], dict[str, Any]]:
    """A published example by name: `inputs`, `expected` and their `tolerance`."""

    def load(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((reference_data / "reference_stats" / f"{name}.json").read_text())
        return found

    return load
