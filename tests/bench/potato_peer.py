"""Potato, asked as its own annotation page asks: three requests a label. It is installed apart, never a dependency."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.bench.load import client

_ITEM = re.compile(r'id="instance_id"[^>]*value="([^"]*)"|name="instance_id"[^>]*value="([^"]*)"')


def write_project(folder: Path, items: list[dict[str, Any]], port: int) -> Path:
    """A task of pairs with one overlap, its items in the order of the file; returns the configuration."""
    (folder / "data").mkdir(parents=True)
    with (folder / "data" / "items.jsonl").open("w", encoding="utf-8") as file:
        for item in items:
            file.write(json.dumps(item) + "\n")
    config = {
        "port": port,
        "annotation_task_name": "Pairs",
        "task_dir": ".",
        "output_annotation_dir": "out",
        "output_annotation_format": "jsonl",
        "data_files": ["data/items.jsonl"],
        "item_properties": {"id_key": "id", "text_key": "responses"},
        "instance_display": {"fields": [{"key": "prompt", "type": "text", "label": "Prompt"}]},
        "user_config": {"allow_all_users": True, "users": []},
        "assignment_strategy": "fixed_order",
        "max_annotations_per_item": 1,
        "max_annotations_per_user": 600,
        "admin_api_key": "bench",
        "annotation_schemes": [
            {
                "annotation_type": "pairwise",
                "name": "preference",
                "description": "Which response is better?",
                "mode": "binary",
                "items_key": "responses",
                "labels": ["A", "B"],
                "allow_tie": True,
                "tie_label": "tie",
                "sequential_key_binding": True,
                "label_requirement": {"required": True},
            }
        ],
        "site_dir": "default",
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


class Potato:
    name = "Potato"

    def __init__(self, base: str, folder: Path) -> None:
        self.base, self.folder = base, folder

    async def login(self, annotator: int) -> httpx.AsyncClient:
        session = client(self.base)
        account = {"email": f"ann{annotator}@example.org", "pass": f"annotator-pass-{annotator}"}
        await session.post("/auth", data=account)
        if "session" not in session.cookies or "instance_id" not in (await session.get("/annotate")).text:
            answer = await session.post("/register", data=account)
            if answer.status_code != 200:
                raise RuntimeError(f"register {answer.status_code}")
        return session

    async def next(self, session: httpx.AsyncClient) -> str | None:
        answer = await session.get("/annotate")
        if answer.status_code != 200:
            raise RuntimeError(f"annotate {answer.status_code}")
        found = _ITEM.search(answer.text)
        return (found[1] or found[2]) if found else None

    async def submit(self, session: httpx.AsyncClient, item: str, label: str) -> None:
        stored = await session.post(
            "/updateinstance",
            json={
                "instance_id": item,
                "annotations": {"preference:::selection": label},
                "span_annotations": [],
                "cleared_schemas": [],
            },
        )
        if stored.status_code != 200 or stored.json().get("status") not in ("success", "ok"):
            raise RuntimeError(f"updateinstance {stored.status_code}")
        moved = await session.post(
            "/annotate",
            json={"action": "next_instance", "instance_id": item},
            headers={"X-Potato-Navigation": "1"},
        )
        if moved.status_code != 200:
            raise RuntimeError(f"next_instance {moved.status_code}")

    async def stored(self) -> list[tuple[str, str]]:
        found = []
        for path in self.folder.glob("out/*/user_state.json"):
            state = json.loads(path.read_text(encoding="utf-8"))
            labels = state.get("instance_id_to_label_to_value", {})
            found += [(str(item), str(state.get("user_id"))) for item, given in labels.items() if given]
        return found
