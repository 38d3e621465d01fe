"""Rows that tests start from, made as plainly as they can be."""

from __future__ import annotations

import hashlib
from itertools import count

from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import Dataset, Item, Response, System
from apps.projects.models import Membership, Project, Role
from apps.rubrics.models import Criterion, Rubric, RubricVersion

_numbers = count(1)


def make_user(name: str = "", **fields: object) -> User:
    return User.objects.create_user(username=name or f"user{next(_numbers)}", **fields)  # type: ignore[arg-type]


def make_project(name: str = "", **fields: object) -> Project:
    number = next(_numbers)
    return Project.objects.create(name=name or f"Project {number}", slug=f"project-{number}", **fields)


def make_member(project: Project, role: Role = Role.ANNOTATOR, user: User | None = None) -> User:
    user = user or make_user()
    Membership.objects.create(project=project, user=user, role=role)
    return user


def make_pair_rubric(project: Project, *, name: str = "Pairs", **fields: object) -> RubricVersion:
    """A published version with one criterion, `overall`: A, tie or B."""
    return make_version(
        project,
        name,
        [{"key": "overall", "kind": Criterion.Kind.PAIR, "name": "Overall", "question": "Which is better?", **fields}],
    )


def make_score_rubric(project: Project, *, name: str = "Scores", keys: tuple[str, ...] = ("overall",)) -> RubricVersion:
    """A published version with one 1-5 score for each key."""
    levels = {str(level): f"Level {level}." for level in range(1, 6)}
    scale = {"kind": Criterion.Kind.SCORE, "scale_min": 1, "scale_max": 5, "levels": levels}
    return make_version(
        project, name, [{"key": key, "name": key.title(), "question": f"How {key}?", **scale} for key in keys]
    )


def make_version(project: Project, name: str, criteria: list[dict[str, object]]) -> RubricVersion:
    rubric, _ = Rubric.objects.get_or_create(project=project, name=name)
    source = f"name: {name}\n"
    version = RubricVersion.objects.create(
        rubric=rubric,
        number=rubric.versions.count() + 1,
        source=source,
        guidelines="Read both to the end.",
        digest=hashlib.sha256(source.encode()).hexdigest(),
    )
    for position, fields in enumerate(criteria):
        Criterion.objects.create(version=version, position=position, **fields)
    version.status = RubricVersion.Status.PUBLISHED
    version.published_at = timezone.now()
    version.save()
    return version


def make_dataset(
    project: Project, *, pairs: int = 0, singles: int = 0, name: str = "Items", reference: str | None = None
) -> Dataset:
    """Items `pair-0`… then `single-0`…, with systems `north` and `south`."""
    dataset = Dataset.objects.create(project=project, name=name, item_count=pairs + singles)
    systems = [System.objects.get_or_create(project=project, name=system)[0] for system in ("north", "south")]
    kinds = [Item.Kind.PAIR] * pairs + [Item.Kind.SINGLE] * singles
    items = Item.objects.bulk_create(
        Item(
            dataset=dataset,
            position=position,
            group_key=position,
            kind=kind,
            external_id=f"pair-{position}" if kind == Item.Kind.PAIR else f"single-{position - pairs}",
            language="en",
            instruction=f"Question {position}?",
            reference=reference,
        )
        for position, kind in enumerate(kinds)
    )
    Response.objects.bulk_create(
        Response(item=item, system=systems[place], position=place, text=f"Answer {place} to {item.position}.")
        for item in items
        for place in range(item.kind)
    )
    return dataset
