"""Outputs and judgments into their tables, a whole shard in two statements.

One INSERT over arrays costs a fraction of a row-by-row one, and `ON CONFLICT DO NOTHING` keeps what is there already,
which COPY cannot. Rows go in by key, so that two runs of one judge that meet cannot wait for each other in a circle.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.judging.models import Output, Shard
from apps.judgments.models import Order, Status, Verdict
from apps.rubrics.models import Criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOutput:
    """What a judge said about an item and how it was read. `verdict` is un-swapped; without `ok` there is no value."""

    item_id: int
    criterion: Criterion
    order: Order
    sample: int = 0
    status: Status
    verdict: Verdict | None = None
    score: float | None = None
    choice: int | None = None
    confidence: float | None = None
    seconds: float | None = None
    raw: str = ""
    rationale: str | None = None
    reading: str = Output.Reading.STRICT
    prompt_hash: str = ""
    details: dict[str, object] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, int, int, int]:
        return self.item_id, self.criterion.pk, self.order, self.sample


_OUTPUTS = """
INSERT INTO judging_output (run_id, shard_id, created_at, reading, item_id, criterion_id, "order", sample, status,
    verdict, score, choice, seconds, prompt_hash, raw, details)
SELECT %(run)s, %(shard)s, %(now)s, reading, item, criterion, "order", sample, status,
    verdict, score, choice, seconds, prompt_hash, raw, details::jsonb
FROM unnest(%(reading)s::text[], %(item)s::bigint[], %(criterion)s::int[], %(order)s::smallint[],
    %(sample)s::smallint[], %(status)s::smallint[], %(verdict)s::smallint[], %(score)s::float8[],
    %(choice)s::smallint[], %(seconds)s::float8[], %(prompt_hash)s::text[], %(raw)s::text[], %(details)s::text[])
    AS said (reading, item, criterion, "order", sample, status, verdict, score, choice, seconds, prompt_hash, raw,
        details)
ON CONFLICT ON CONSTRAINT output_once DO NOTHING
"""
_JUDGMENTS = """
INSERT INTO judgments_judgment (dataset_id, rater_id, rubric_version_id, created_at, revision, both_bad,
    item_id, criterion_id, kind, "order", sample, status, verdict, score, choice, confidence, seconds, rationale,
    details)
SELECT %(dataset)s, %(rater)s, %(version)s, %(now)s, 0, false,
    item, criterion, kind, "order", sample, status, verdict, score, choice, confidence, seconds, rationale,
    details::jsonb
FROM unnest(%(item)s::bigint[], %(criterion)s::int[], %(kind)s::smallint[], %(order)s::smallint[],
    %(sample)s::smallint[], %(status)s::smallint[], %(verdict)s::smallint[], %(score)s::float8[],
    %(choice)s::smallint[], %(confidence)s::float8[], %(seconds)s::float8[], %(rationale)s::text[],
    %(details)s::text[])
    AS said (item, criterion, kind, "order", sample, status, verdict, score, choice, confidence, seconds, rationale,
        details)
ON CONFLICT ON CONSTRAINT judgment_once DO NOTHING
"""


def insert(*, shard: Shard, outputs: Sequence[ReadOutput]) -> None:
    """Add the shard's outputs and its judge's judgments; what is there stays. Call it inside a transaction."""
    rows = sorted(outputs, key=lambda output: output.key)
    run = shard.run
    parameters: dict[str, Any] = {
        "run": run.pk,
        "shard": shard.pk,
        "dataset": run.dataset_id,
        "rater": run.judge.rater_id,
        "version": run.rubric_version_id,
        "now": timezone.now(),
        "reading": [str(row.reading) for row in rows],
        "item": [row.item_id for row in rows],
        "criterion": [row.criterion.pk for row in rows],
        "kind": [row.criterion.kind for row in rows],
        "order": [int(row.order) for row in rows],
        "sample": [row.sample for row in rows],
        "status": [int(row.status) for row in rows],
        "verdict": [None if row.verdict is None else int(row.verdict) for row in rows],
        "score": [row.score for row in rows],
        "choice": [row.choice for row in rows],
        "confidence": [row.confidence for row in rows],
        "seconds": [row.seconds for row in rows],
        "prompt_hash": [row.prompt_hash for row in rows],
        "raw": [storable(row.raw) for row in rows],
        "rationale": [storable(row.rationale) if row.rationale else None for row in rows],
        "details": [json.dumps(row.details) if row.details else None for row in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(_OUTPUTS, parameters)
        cursor.execute(_JUDGMENTS, parameters)


def storable(text: str) -> str:
    """The text with what PostgreSQL cannot hold, NUL and lone surrogates, replaced by signs for "unknown"."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
