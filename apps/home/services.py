"""The demo project: loaded once, through the same services that people's own projects use."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import create_user
from apps.annotation.models import Assignment, QueueEntry, Round, RoundMember
from apps.annotation.services import create_round
from apps.annotation.statements import side
from apps.datasets.formats.judgments_jsonl import write_judgment
from apps.datasets.formats.records import JudgmentRecord
from apps.datasets.models import Dataset
from apps.datasets.tasks import render_soon
from apps.home.demo import content
from apps.home.demo.simulate import ANNOTATORS, simulate_pairs, simulate_scores
from apps.imports.reading import Outcome
from apps.imports.services import import_items, import_judgments
from apps.judging.services.judges import create_judge
from apps.judging.services.runs import start_run
from apps.judging.tasks import enqueue
from apps.judgments.models import Order, Rater
from apps.projects.models import Project
from apps.projects.services import create_project
from apps.rubrics.models import RubricVersion
from apps.rubrics.services import create_rubric, publish

SLUG = "demo"
NAME = "Demo: everyday answers"
DESCRIPTION = "Which everyday answers help more, in English and Chinese, and how well do three simple baselines judge?"
#: name, model, settings of the three baselines
JUDGES: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("longer-wins", "length", {}),
    ("closer-to-reference", "rouge_l", {}),
    ("chance", "random", {"seed": 0}),
)


class DemoBroken(RuntimeError):
    """The demo's own files were refused: a fault of this version of Jurybox, never of who loads it."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One half of the demo: a dataset, its rubric, and what simulated annotators said."""

    dataset: str
    items: str
    rubric: str
    labels: Iterable[JudgmentRecord]


@transaction.atomic
def load_demo(*, admin: User) -> Project | None:
    """Make the demo project with `admin` as its admin; None where there is one.

    Its simulated annotators are users whose accounts are closed, so nobody can sign in as one: a label in a round
    needs somebody who held the item, and with them the queue, the progress and the history are true as they stand.
    """
    if Project.objects.filter(is_demo=True).exists():
        return None
    project = create_project(
        name=NAME,
        slug="" if Project.objects.filter(slug=SLUG).exists() else SLUG,
        language="en",
        by=admin,
        is_demo=True,
        overlap=content.OVERLAP,
        description=DESCRIPTION,
    )
    now = timezone.now()
    parts = (
        _Part("Pairs", content.PAIRS, content.PAIRWISE_RUBRIC, simulate_pairs(until=now)),
        _Part("Single answers", content.SINGLES, content.SCORES_RUBRIC, simulate_scores(until=now)),
    )
    accounts = {
        annotator.name: _closed_account(annotator.name, number) for number, annotator in enumerate(ANNOTATORS, 1)
    }
    loaded = [_load(project, part, accounts, admin) for part in parts]
    _start_judges(project, *loaded[0], admin)
    return project


def _load(project: Project, part: _Part, accounts: dict[str, User], admin: User) -> tuple[Dataset, RubricVersion]:
    dataset, outcome = import_items(
        project=project,
        dataset_name=part.dataset,
        stream=content.stream(part.items),
        by=admin,
        sampling=Dataset.Sampling.SELECTED,
    )
    _must_be_whole(outcome)
    assert dataset is not None
    draft = create_rubric(project=project, source=content.read(part.rubric).decode(), source_name=part.rubric, by=admin)
    version = publish(version=draft, by=admin)
    round_ = create_round(
        project=project,
        dataset=dataset,
        rubric_version=version,
        name=part.dataset,
        by=admin,
        overlap=content.OVERLAP,
        seed=1,
    )
    records = list(part.labels)
    lines = io.BytesIO(b"".join(write_judgment(record) for record in records))
    _must_be_whole(import_judgments(dataset=dataset, version=version, stream=lines, simulated=True))
    raters = _raters(project, accounts)
    _fill_places(round_, records, raters)
    render_soon(dataset.pk)
    return dataset, version


def _must_be_whole(outcome: Outcome) -> None:
    if outcome.problems.total:
        raise DemoBroken("; ".join(str(problem) for problem in outcome.problems.told[:5]))


def _closed_account(name: str, number: int) -> User:
    """A user that stands for a simulated annotator: inactive, without a password, and named for what it is."""
    username = f"simulated-{number}"
    existing = User.objects.filter(username__iexact=username).first()
    if existing is not None and not existing.is_active and existing.display_name == name:
        return existing  # of a demo that was deleted
    user = create_user(username=username if existing is None else f"{username}-demo", display_name=name)
    user.is_active = False
    user.save(update_fields=["is_active"])
    return user


def _raters(project: Project, accounts: dict[str, User]) -> dict[str, Rater]:
    raters = {rater.name: rater for rater in Rater.objects.filter(project=project, is_simulated=True)}
    for name, rater in raters.items():
        rater.user = accounts[name]
    Rater.objects.bulk_update(raters.values(), ["user"])
    return raters


def _fill_places(round_: Round, records: Sequence[JudgmentRecord], raters: dict[str, Rater]) -> None:
    """Say in the round who labelled what, as if each had been given the item and had submitted it."""
    items = dict(round_.dataset.items.values_list("external_id", "pk"))
    first = {(record.item, record.rater): record for record in reversed(records)}  # one place, however many criteria
    by_item: dict[int, list[JudgmentRecord]] = defaultdict(list)
    for record in reversed(first.values()):
        by_item[items[record.item]].append(record)
    assignments = [
        assignment for item, labels in by_item.items() for assignment in _assignments(round_, item, labels, raters)
    ]
    Assignment.objects.bulk_create(assignments)
    for labels in {len(labels) for labels in by_item.values()}:
        done = [item for item, given in by_item.items() if len(given) == labels]
        QueueEntry.objects.filter(round=round_, item__in=done).update(taken=labels)
    counts: dict[int, int] = defaultdict(int)
    for assignment in assignments:
        counts[assignment.user_id] += 1
    RoundMember.objects.bulk_create(
        RoundMember(round=round_, user_id=rater.user_id, rater=rater, done=counts[rater.user_id])
        for rater in raters.values()
        if rater.user_id is not None and counts[rater.user_id]
    )


def _assignments(
    round_: Round, item: int, labels: Sequence[JudgmentRecord], raters: dict[str, Rater]
) -> Iterable[Assignment]:
    free = list(range(round_.overlap))
    for label in labels:
        order = Order[label.order]
        # A place on the side that was shown, where one is left: who labels the rest then sees the others.
        place = next((place for place in free if side(item, place) == order), free[0])
        free.remove(place)
        closed: datetime = label.at or timezone.now()
        leased = closed - timedelta(seconds=label.seconds or 0)
        rater = raters[label.rater]
        assert rater.user_id is not None
        yield Assignment(
            round=round_,
            item_id=item,
            user_id=rater.user_id,
            rater=rater,
            state=Assignment.State.DONE,
            place=place,
            order=order,
            leased_at=leased,
            expires_at=leased + timedelta(minutes=round_.lease_minutes),
            closed_at=closed,
        )


def _start_judges(project: Project, dataset: Dataset, version: RubricVersion, admin: User) -> None:
    for name, model, params in JUDGES:
        judge = create_judge(project=project, name=name, engine="baseline", model=model, params=params, by=admin)
        enqueue(start_run(judge=judge, dataset=dataset, rubric_version=version, by=admin))
