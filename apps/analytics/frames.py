"""Judgments out of PostgreSQL as columns: rows of fixed length, packed by the server, so that no Python runs a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray

from apps.analytics.report_columns import MARKS, CriterionColumns, LeftOut, latest
from apps.analytics.stats.labels import NO_VERDICT, Scale, dense_groups
from apps.judgments.models import Mark, Rater
from apps.rubrics.models import Criterion

#: one judgment as it comes out of PostgreSQL; `value` is the code or the score, NaN without a verdict
RECORD: Final = np.dtype(
    [
        ("item", ">i8"),
        ("rater", ">i4"),
        ("order", ">i2"),
        ("sample", ">i2"),
        ("revision", ">i2"),
        ("mark", ">i2"),
        ("value", ">f4"),
    ]
)
_BLOCK: Final = 1_000_000  # judgments in one answer: 24 MB
# 0 stands for "no mark" in the packed row. The index `judgment_by_criterion` gives the order.
_ROWS = b"""
SELECT max(id), string_agg(int8send(item_id) || int4send(rater_id) || int2send("order") || int2send(sample)
    || int2send(revision) || int2send(coalesce(mark, 0::int2))
    || float4send(coalesce(verdict, choice, score, 'NaN')::float4), ''::bytea ORDER BY id)
FROM (SELECT * FROM judgments_judgment
    WHERE dataset_id = %(dataset)s AND criterion_id = %(criterion)s AND id > %(after)s ORDER BY id LIMIT %(block)s) j
"""
_GROUPS = b"""
SELECT string_agg(int8send(id) || int8send(group_key), ''::bytea ORDER BY id)
FROM datasets_item WHERE dataset_id = %(dataset)s
"""
_VERSION = b"""
SELECT count(*), coalesce(max(id), 0) FROM judgments_judgment
WHERE dataset_id = %(dataset)s AND criterion_id = %(criterion)s
"""
_NEWEST = b"""
SELECT coalesce(max(id), 0) FROM judgments_judgment WHERE dataset_id = %(dataset)s AND criterion_id = %(criterion)s
"""
_KINDS: dict[int, Any] = {Criterion.Kind.PAIR: "pair", Criterion.Kind.SCORE: "score", Criterion.Kind.CHOICE: "choice"}
_MARK_CODES = {mark.value: MARKS.index(mark.label) for mark in Mark}


@dataclass(frozen=True, slots=True)
class Version:
    """Which labels of a (dataset, criterion) there are. Judgments are only ever added, so equal counts mean equal sets;
    the newest id tells a restored database from the one before."""

    count: int
    newest: int

    def __str__(self) -> str:
        return f"{self.count}-{self.newest}"

    @classmethod
    def read(cls, text: str) -> Version | None:
        """From its text, which may come from an address; None if it is none."""
        count, _, newest = text.partition("-")
        if not (
            0 < len(count) < 19 and 0 < len(newest) < 19 and (count + newest).isascii() and (count + newest).isdigit()
        ):
            return None
        return cls(int(count), int(newest))


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """Every judgment of a (dataset, criterion), every revision and marked ones too, by id; and its items' groups."""

    version: Version
    rows: NDArray[np.void]  # RECORD
    items: NDArray[np.int64]  # sorted ids of all items of the dataset
    groups: NDArray[np.int64]  # their group keys


def current_version(*, dataset_id: int, criterion_id: int) -> Version:
    """Of the labels that are there now; an index-only scan."""
    count, newest = _one(_VERSION, dataset=dataset_id, criterion=criterion_id)
    return Version(count, newest)


def newest_label(*, dataset_id: int, criterion_id: int) -> int:
    """The id of the newest judgment, 0 if there is none; one look at the end of the index."""
    return int(_one(_NEWEST, dataset=dataset_id, criterion=criterion_id)[0])


def read_ledger(*, dataset_id: int, criterion_id: int, known: Ledger | None = None) -> Ledger:
    """The judgments, read anew or added to what is `known`.

    Ids are given before they are committed: where a lower id came late, adding would miss it, and all is read anew.
    """
    after = 0 if known is None else known.version.newest
    blocks = [] if known is None else [known.rows]
    count, newest = (0, 0) if known is None else (known.version.count, known.version.newest)
    while True:
        last, packed = _one(_ROWS, dataset=dataset_id, criterion=criterion_id, after=after, block=_BLOCK)
        if packed is None:
            break
        blocks.append(np.frombuffer(packed, dtype=RECORD))
        count += len(blocks[-1])
        after = newest = last
        if len(blocks[-1]) < _BLOCK:
            break
    if known is not None and count != current_version(dataset_id=dataset_id, criterion_id=criterion_id).count:
        return read_ledger(dataset_id=dataset_id, criterion_id=criterion_id)
    rows = blocks[0] if len(blocks) == 1 else np.empty(count, dtype=RECORD)
    if len(blocks) > 1:
        np.concatenate(blocks, out=rows)  # into the same byte order
    items, groups = (known.items, known.groups) if known is not None else _items(dataset_id)
    if known is not None and not np.isin(rows["item"][known.version.count :], items).all():
        items, groups = _items(dataset_id)  # the dataset has grown
    return Ledger(Version(count, newest), rows, items, groups)


def columns(ledger: Ledger, criterion: Criterion) -> tuple[CriterionColumns, LeftOut]:
    """What the report computes from. Raters are named by their ids, in the order of the matrix: people, then judges.

    Names may change and ids do not, so a kept report stays right; `by_id` turns them back.
    """
    rows = ledger.rows
    kept, left_out = _counting(rows)
    rows = rows[kept]
    present = np.unique(rows["rater"].astype(np.int64))
    raters = list(
        Rater.objects.filter(pk__in=present.tolist()).order_by("kind", "name", "pk").values_list("pk", "kind")
    )
    column_of = np.zeros(len(present), dtype=np.int64)
    column_of[np.searchsorted(present, [pk for pk, _kind in raters])] = np.arange(len(raters))
    judged, item = np.unique(rows["item"].astype(np.int64), return_inverse=True)
    value = rows["value"].astype(np.float32)
    scored = criterion.kind == Criterion.Kind.SCORE
    return CriterionColumns(
        name=criterion.key,
        kind=_KINDS[criterion.kind],
        scale=scale_of(criterion),
        raters=tuple(str(pk) for pk, _kind in raters),
        is_judge=np.array([kind == Rater.Kind.JUDGE for _pk, kind in raters], dtype=bool),
        n_items=len(judged),
        item=item,
        rater=column_of[np.searchsorted(present, rows["rater"])],
        order=rows["order"].astype(np.int64),
        code=None if scored else np.where(np.isnan(value), NO_VERDICT, value).astype(np.int8),
        score=value if scored else None,
        groups=dense_groups(ledger.groups[np.searchsorted(ledger.items, judged)]),
    ), left_out


def scale_of(criterion: Criterion) -> Scale:
    """What raters could choose from, as the rubric version declares it."""
    if criterion.kind == Criterion.Kind.PAIR:
        return Scale.pair()
    if criterion.kind == Criterion.Kind.SCORE:
        assert criterion.scale_min is not None  # a constraint holds that
        assert criterion.scale_max is not None
        return Scale.scores(criterion.scale_min, criterion.scale_max)
    return Scale.choices([option["id"] for option in criterion.options])


def _counting(rows: NDArray[np.void]) -> tuple[NDArray[np.bool_], LeftOut]:
    """Which rows count, and how many do not."""
    mark = _marks(rows["mark"])
    if not rows["revision"].any() and not rows["sample"].any():  # the usual case, and no sorting
        counts = {name: int((mark == i).sum()) for i, name in enumerate(MARKS)}
        return mark < 0, LeftOut(0, 0, counts)
    native = {name: rows[name].astype(np.int64) for name in ("item", "rater", "order", "sample", "revision")}
    kept, left_out, _repeated = latest(**native, mark=mark)
    return kept, left_out


def _marks(mark: NDArray[np.integer]) -> NDArray[np.int64]:
    """Marks as the report numbers them, -1 for none."""
    place = np.full(max(_MARK_CODES) + 1, -1, dtype=np.int64)
    place[list(_MARK_CODES)] = list(_MARK_CODES.values())
    return np.asarray(place[mark])


def _items(dataset_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    (packed,) = _one(_GROUPS, dataset=dataset_id)
    pairs = np.frombuffer(packed or b"", dtype=">i8").astype(np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _one(sql: bytes, **parameters: int) -> tuple[Any, ...]:
    """The one row of a statement. Binary results need a cursor that binds on the server, which Django's does not."""
    connection.ensure_connection()
    with psycopg.Cursor(cast("psycopg.Connection[Any]", connection.connection)) as cursor:
        cursor.execute(sql, parameters, binary=True)
        row = cursor.fetchone()
    assert row is not None  # every statement here is an aggregate
    return cast("tuple[Any, ...]", row)
