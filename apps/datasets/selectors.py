"""Reads of datasets: lists of items by keyset, what there is to filter by, an item with its judgments.

Judgments are reached through `Item.judgments`, by name: that app builds on this one and is not imported here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any

from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.db.models import CharField, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Collate, Left
from django.utils.translation import get_language_info, gettext

from apps.core.markdown import lang_of
from apps.datasets.models import Dataset, Item, Response, System
from apps.datasets.said import Said, said
from apps.projects.models import Project

PAGE = 50
#: how many matches are counted before a page says "more than"
COUNTED = 1000
#: a search of a huge dataset is given up rather than holding one of the few threads that answer pages
SEARCH_SECONDS = 10.0
#: the same for the previous and next item, without which the page is as good
NEIGHBOUR_SECONDS = 3.0
#: judgments of one item that its page shows
JUDGMENTS_SHOWN = 500
_EXCERPT = 400
_SCENARIOS = 200


class TooSlow(Exception):
    """The search took longer than a page may take."""


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """What the items of a list have in common; an empty value asks for nothing."""

    q: str = ""
    kind: int | None = None
    scenario: str = ""
    language: str = ""
    system: int | None = None
    reference: bool | None = None
    judged: bool | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) not in ("", None) for field in fields(self))


def language_name(code: str) -> str:
    """`zh` as "Chinese" in the reader's language; the code itself where the name is not known."""
    if code == "zh":  # known to Django by its scripts only
        return gettext("Chinese")
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


# ── Datasets ─────────────────────────────────────────────────────────────────


def active_datasets(project: Project) -> QuerySet[Dataset]:
    """Those that one may choose for something new."""
    return Dataset.objects.filter(project=project, archived_at__isnull=True)


def first_dataset(project: Project) -> Dataset | None:
    """The one whose items are shown where none was chosen: the newest in use, else the newest archived one."""
    return Dataset.objects.filter(project=project).order_by(F("archived_at").desc(nulls_first=True), "-pk").first()


def judgment_counts(project: Project) -> dict[int, int]:
    """Judgments of each dataset, counted no further than one past 10,000, so that ten million cost nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.id, (SELECT count(*) FROM (SELECT 1 FROM judgments_judgment j WHERE j.dataset_id = d.id"
            " LIMIT 10001) counted) FROM datasets_dataset d WHERE d.project_id = %s",
            [project.pk],
        )
        return dict(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Facets:
    """The values that a dataset's items can be filtered by."""

    kinds: tuple[int, ...]
    scenarios: tuple[str, ...]
    languages: tuple[str, ...]
    systems: tuple[tuple[int, str], ...]


def facets(dataset: Dataset) -> Facets:
    """Kept in the cache under the number of items: items are only ever added, so what is kept is never wrong."""
    key = f"datasets:facets:{dataset.pk}:{dataset.item_count}"
    kept: Facets | None = cache.get(key)
    if kept is None:
        kept = _facets(dataset)
        cache.set(key, kept, timeout=7 * 24 * 3600)
    return kept


def _facets(dataset: Dataset) -> Facets:
    items = Item.objects.filter(dataset=dataset)
    systems = System.objects.filter(
        project=dataset.project_id, pk__in=Response.objects.filter(item__dataset=dataset).values("system").distinct()
    )
    return Facets(
        kinds=tuple(items.order_by("kind").values_list("kind", flat=True).distinct()),
        scenarios=tuple(
            items.exclude(scenario="").order_by("scenario").values_list("scenario", flat=True).distinct()[:_SCENARIOS]
        ),
        languages=tuple(items.exclude(language="").order_by("language").values_list("language", flat=True).distinct()),
        systems=tuple(systems.order_by("name").values_list("pk", "name")),
    )


# ── Lists of items ───────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as a line of the list; `lang` is that of its first words, as the page marks it."""

    item: Item
    excerpt: str
    lang: str
    judgments: int

    @property
    def language(self) -> str:
        return language_name(self.item.language) if self.item.language else ""


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Up to PAGE items in the order of the file; `before` and `after` are the places that lead on, if anything does."""

    rows: Sequence[ItemRow]
    #: known where it is cheap: without a filter, and on the first page, up to COUNTED
    total: int | None
    more_than: bool
    before: int | None
    after: int | None


def item_page(dataset: Dataset, wanted: ItemFilter, *, after: int | None = None, before: int | None = None) -> ItemPage:
    """The items past the place `after`, or those that end just before the place `before`; by keyset, never by offset.

    Raises:
        TooSlow: the text search was given up.
    """
    items = matching(dataset, wanted)
    first = after is None and before is None
    total: int | None = None if wanted else dataset.item_count
    # The first page of a filtered list reads on for the count: one pass over the dataset answers both.
    limit = COUNTED + 1 if wanted and first else PAGE + 1
    with _limited(SEARCH_SECONDS):
        if before is not None:
            found = list(items.filter(position__lt=before).order_by("-position").values_list("pk", "position")[:limit])
            more_before, more_after = len(found) > PAGE, True
            found = found[:PAGE][::-1]
        else:
            if after is not None:
                items = items.filter(position__gt=after)
            found = list(items.order_by("position").values_list("pk", "position")[:limit])
            more_before, more_after = after is not None, len(found) > PAGE
            if wanted and first:
                total = len(found)
            found = found[:PAGE]
    return ItemPage(
        rows=_rows([pk for pk, _ in found]),
        total=None if total is None else min(total, COUNTED) if wanted else total,
        more_than=bool(wanted) and total is not None and total > COUNTED,
        before=found[0][1] if found and more_before else None,
        after=found[-1][1] if found and more_after else None,
    )


def neighbours(item: Item, wanted: ItemFilter) -> tuple[Item | None, Item | None]:
    """The matching items before and after this one; neither where looking for them takes too long."""
    items = matching(item.dataset, wanted).only("pk", "external_id", "position")
    try:
        with _limited(NEIGHBOUR_SECONDS):
            return (
                items.filter(position__lt=item.position).order_by("-position").first(),
                items.filter(position__gt=item.position).order_by("position").first(),
            )
    except TooSlow:
        return None, None


def matching(dataset: Dataset, wanted: ItemFilter) -> QuerySet[Item]:
    items = Item.objects.filter(dataset=dataset)
    if wanted.kind is not None:
        items = items.filter(kind=wanted.kind)
    if wanted.scenario:
        items = items.filter(scenario=wanted.scenario)
    if wanted.language:
        items = items.filter(language=wanted.language)
    if wanted.system is not None:
        items = items.filter(Exists(Response.objects.filter(item=OuterRef("pk"), system=wanted.system)))
    if wanted.reference is not None:
        items = items.filter(reference__isnull=not wanted.reference)
    if wanted.judged is not None:
        judged = Exists(Item.objects.filter(pk=OuterRef("pk"), judgments__isnull=False))
        items = items.filter(judged if wanted.judged else ~judged)
    if wanted.q:
        items = _searched(items, wanted.q)
    return items


def _searched(items: QuerySet[Item], text: str) -> QuerySet[Item]:
    """Items with the text, as it is written but for capitals, in their id, instruction or responses.

    Django escapes % and _. Lowering texts by the rules of all languages is what costs most, so it is left out where it
    changes nothing: for a text without capitals such as Chinese, and by the rules of ASCII for one in ASCII.
    """
    fold = text.lower() != text.upper()
    lookup = "icontains" if fold else "contains"
    plain = fold and text.isascii()

    def has(field: str) -> Any:
        return Collate(field, "C") if plain else F(field)

    responses = Response.objects.annotate(searched=has("text")).filter(
        item=OuterRef("pk"), **{f"searched__{lookup}": text}
    )
    return items.annotate(searched_id=has("external_id"), searched=has("instruction")).filter(
        Q(**{f"searched__{lookup}": text}) | Q(**{f"searched_id__{lookup}": text}) | Exists(responses)
    )


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds * 1000:.0f}ms"])
            yield
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == "57014":  # query_canceled
            raise TooSlow from error
        raise


def _rows(ids: list[int]) -> list[ItemRow]:
    items = (
        Item.objects.filter(pk__in=ids)
        .annotate(excerpt=Left("instruction", _EXCERPT, output_field=CharField()))
        .defer("instruction", "context", "reference", "messages", "meta")
        .prefetch_related(Prefetch("responses", Response.objects.defer("text", "messages").select_related("system")))
        .order_by("position")
    )
    # Revisions of one judgment count once.
    judged = (
        Item.objects.filter(pk__in=ids, judgments__isnull=False)
        .values_list("pk", "judgments__rater", "judgments__criterion", "judgments__order", "judgments__sample")
        .distinct()
    )
    counts: dict[int, int] = {}
    for pk, *_ in judged:
        counts[pk] = counts.get(pk, 0) + 1
    return [ItemRow(item, item.excerpt, lang_of(item.excerpt), counts.get(item.pk, 0)) for item in items]


# ── An item ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JudgmentRow:
    """The latest revision of a judgment, and those it superseded, newest first."""

    latest: Said
    earlier: Sequence[Said]


def judgments_of(item: Item) -> tuple[list[JudgmentRow], bool]:
    """Everything that anyone said about the item, people first; and whether that is not all of it."""
    found = list(
        item.judgments.select_related("rater", "criterion", "rubric_version__rubric").order_by(
            "rubric_version_id", "criterion__position", "rater__kind", "rater__name", "order", "sample", "-revision"
        )[: JUDGMENTS_SHOWN + 1]
    )
    rows = []
    for _, revisions in groupby(
        found[:JUDGMENTS_SHOWN], key=lambda each: (each.rater_id, each.criterion_id, each.order, each.sample)
    ):
        latest, *earlier = (said(revision) for revision in revisions)
        rows.append(JudgmentRow(latest, earlier))
    return rows, len(found) > JUDGMENTS_SHOWN


@dataclass(frozen=True, slots=True)
class Uses:
    """What still works with a dataset, and goes on doing so when it is archived."""

    open_rounds: int
    active_runs: int


def uses(dataset: Dataset) -> Uses:
    return Uses(
        open_rounds=dataset.rounds.exclude(status="closed").count(),
        active_runs=dataset.runs.filter(finished_at__isnull=True).count(),
    )
