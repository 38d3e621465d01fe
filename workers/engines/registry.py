"""Engines by name, loaded when first asked for and kept: a worker process loads a model once."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import cast

from workers.judge.engine import Engine, EngineError

#: name → module with `MODELS` and `load(model, params)`
ENGINES = {"baseline": "workers.engines.baselines"}


def load_engine(name: str, model: str, params: Mapping[str, object] | None = None) -> Engine:
    """The engine, the same object for the same arguments. Raises EngineError where there is no such engine or model."""
    if name not in ENGINES:
        raise EngineError(f"There is no engine “{name}”.{_meant(name, ENGINES)}")
    return _load(name, model, json.dumps(params or {}, sort_keys=True))


def models_of(name: str) -> tuple[str, ...]:
    """The models that an engine brings along; empty where any model may be named."""
    return cast(tuple[str, ...], import_module(ENGINES[name]).MODELS)


@lru_cache(maxsize=8)
def _load(name: str, model: str, params: str) -> Engine:
    module = import_module(ENGINES[name])
    if module.MODELS and model not in module.MODELS:
        raise EngineError(f"The engine “{name}” has no model “{model}”.{_meant(model, module.MODELS)}")
    return cast(Engine, module.load(model, json.loads(params)))


def _meant(name: str, options: Mapping[str, str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, options, n=1)
    return f" Did you mean “{close[0]}”?" if close else f" There is {', '.join(f'“{option}”' for option in options)}."
