"""Labels out of the database: as columns, as files, and as the few figures other pages show."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from django.core.cache import cache as redis
from django.utils import timezone

from apps.analytics import cache, dashboard, frames, selectors
from apps.analytics.frames import Version
from apps.analytics.stats.labels import NO_VERDICT
from apps.judging.models import JudgeConfig
from apps.judgments.models import Judgment, Mark, Order, Rater, Status
from apps.rubrics.models import Criterion
from tests.factories import make_dataset, make_pair_rubric, make_project, make_version

A, TIE, B = 0, 1, 2
pytestmark = pytest.mark.django_db


class Labels:
    """A project with one dataset and one criterion; `add` gives labels of its items."""

    def __init__(self, criterion=None, *, pairs=6, singles=0):
        self.project = make_project()
        self.dataset = make_dataset(self.project, pairs=pairs, singles=singles)
        version = make_version(self.project, "Own", [criterion]) if criterion else make_pair_rubric(self.project)
        self.criterion = version.criteria.get()
        self.items = list(self.dataset.items.order_by("position"))
        self.keys = {"dataset_id": self.dataset.pk, "criterion_id": self.criterion.pk}

    def rater(self, name, *, judge=False):
        return Rater.objects.get_or_create(project=self.project, name=name, defaults={"kind": int(judge)})[0]

    def add(self, name, *values, judge=False, **fields):
        field = {0: "verdict", 1: "score", 2: "choice"}[self.criterion.kind]
        return Judgment.objects.bulk_create(
            Judgment(
                item=item,
                dataset=self.dataset,
                rater=self.rater(name, judge=judge),
                rubric_version=self.criterion.version,
                criterion=self.criterion,
                kind=self.criterion.kind,
                created_at=timezone.now(),
                status=Status.OK if value is not None else Status.UNPARSED,
                **({} if value is None else {field: value}),
                **fields,
            )
            for item, value in zip(self.items, values, strict=False)
        )

    def ledger(self, known=None):
        return frames.read_ledger(dataset_id=self.dataset.pk, criterion_id=self.criterion.pk, known=known)

    def columns(self):
        return frames.columns(self.ledger(), self.criterion)


@pytest.fixture(autouse=True)
def labels(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    redis.clear()
    return Labels()


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache" / "labels").iterdir())


def test_a_pair_becomes_a_matrix_of_codes(labels):
    labels.add("ada", A, TIE, B)
    labels.add("length", A, B, judge=True)
    labels.add("length", A, TIE, None, judge=True, order=Order.BA)

    columns, _left_out = labels.columns()
    verdicts = columns.verdicts()

    assert columns.raters == tuple(str(labels.rater(name).pk) for name in ("ada", "length"))
    assert columns.is_judge.tolist() == [False, True]
    assert verdicts.matrix.codes.tolist() == [[A, A], [TIE, TIE], [B, -1]]  # B, then a tie when swapped, is a tie
    assert verdicts.second[:, 1].tolist() == [A, TIE, NO_VERDICT]


def test_the_latest_revision_the_first_sample_and_no_marked_ones(labels):
    labels.add("ada", A, A, A)
    labels.add("ada", B, revision=1)
    labels.add("ada", TIE, sample=1)
    labels.add("ben", A, B, mark=Mark.LATE)

    columns, left_out = labels.columns()

    assert columns.verdicts().matrix.codes.tolist() == [[B], [A], [A]]
    assert (left_out.superseded, left_out.other_samples) == (1, 1)
    assert left_out.marked == {"warmup": 0, "gold": 0, "late": 2, "adjudicated": 0}


def test_scores_between_levels_and_choices_keep_their_meaning():
    scores = Labels(
        {"key": "s", "kind": Criterion.Kind.SCORE, "name": "S", "question": "?", "scale_min": -1, "scale_max": 2},
        pairs=0,
        singles=4,
    )
    scores.add("ada", -1, 0.5, 2, None)
    matrix = scores.columns()[0].verdicts().matrix
    assert matrix.scale.labels == ("-1", "0", "1", "2")
    assert np.array_equal(matrix.values[:, 0], [-1, 0.5, 2, np.nan], equal_nan=True)
    assert not matrix.whole

    options = [{"id": name, "label": name.title(), "description": ""} for name in ("polite", "rude")]
    choices = Labels(
        {"key": "c", "kind": Criterion.Kind.CHOICE, "name": "C", "question": "?", "options": options}, pairs=3
    )
    choices.add("ada", 1, 0, None)
    matrix = choices.columns()[0].verdicts().matrix
    assert matrix.scale.labels == ("polite", "rude")
    assert matrix.codes.tolist() == [[1], [0], [-1]]


def test_items_that_share_an_instruction_are_one_group(labels):
    labels.dataset.items.filter(pk__in=[item.pk for item in labels.items[:2]]).update(group_key=-5)
    labels.add("ada", A, A, A)
    groups = labels.columns()[0].groups
    assert groups[0] == groups[1] != groups[2]


def test_one_new_label_is_added_to_what_is_known(labels):
    labels.add("ada", A, B)
    known = labels.ledger()
    labels.add("ben", A, B, TIE)
    grown = labels.ledger(known)
    assert grown.version == frames.current_version(**labels.keys)
    assert grown.rows.tobytes() == labels.ledger().rows.tobytes()


def test_a_lower_id_that_is_committed_later_is_not_missed(labels):
    (first,) = labels.add("ada", A)
    labels.add("ben", A, B)
    known = labels.ledger()
    late = Judgment.objects.get(pk=first.pk)
    late.pk, late.rater = first.pk - 1, labels.rater("cleo")
    late.save(force_insert=True)
    labels.add("dora", TIE)
    assert len(labels.ledger(known).rows) == 5


def test_blocks_are_joined(labels, monkeypatch):
    labels.add("ada", A, B, TIE, A, B)
    whole = labels.ledger()
    monkeypatch.setattr(frames, "_BLOCK", 2)
    assert labels.ledger().rows.tobytes() == whole.rows.tobytes()


def test_unchanged_labels_come_from_their_file(labels, tmp_path, monkeypatch):
    labels.add("ada", A, B)
    first = cache.ledger(**labels.keys)
    monkeypatch.setattr(frames, "read_ledger", None)
    again = cache.ledger(**labels.keys)
    assert again.rows.tobytes() == first.rows.tobytes()
    assert again.version == first.version


def test_a_new_version_replaces_the_file(labels, tmp_path):
    labels.add("ada", A, B)
    cache.ledger(**labels.keys)
    labels.add("ben", A)
    version = cache.ledger(**labels.keys).version
    assert version.count == 3
    assert files(tmp_path) == [f"{labels.dataset.pk}-{labels.criterion.pk}-{version}.npz"]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 and no more", b"\x93NUMPY"])
def test_a_damaged_file_is_made_anew(labels, tmp_path, damage):
    labels.add("ada", A, B)
    whole = cache.ledger(**labels.keys)
    (tmp_path / "cache" / "labels" / files(tmp_path)[0]).write_bytes(damage)
    assert cache.ledger(**labels.keys).rows.tobytes() == whole.rows.tobytes()


def test_a_file_of_another_database_is_not_believed(labels, tmp_path):
    labels.add("ada", A, B)
    ledger = cache.ledger(**labels.keys)
    folder = tmp_path / "cache" / "labels"
    stem = f"{labels.dataset.pk}-{labels.criterion.pk}-"
    (folder / f"{stem}{ledger.version}.npz").rename(folder / f"{stem}9-999999999.npz")
    assert cache.ledger(**labels.keys).version == ledger.version


def test_files_are_bounded_and_half_written_ones_go(labels, tmp_path, monkeypatch):
    other = Labels()
    for each in (labels, other):
        each.add("ada", A, B)
    cache.ledger(**labels.keys)
    folder = tmp_path / "cache" / "labels"
    for name in (files(tmp_path)[0], "new-left"):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - 7200,) * 2)
    monkeypatch.setattr(cache, "LARGEST", (folder / files(tmp_path)[0]).stat().st_size)
    cache.ledger(**other.keys)
    assert [name.split("-")[0] for name in files(tmp_path)] == [str(other.dataset.pk)]


def test_a_folder_that_cannot_be_written_only_costs_time(labels, tmp_path, settings, caplog):
    (tmp_path / "file").touch()
    settings.VAR_DIR = tmp_path / "file"
    labels.add("ada", A, B)
    assert len(cache.ledger(**labels.keys).rows) == 2
    assert "labels are not kept" in caplog.text


@pytest.mark.parametrize("text", ["", "1", "1-", "-1", "a-b", "1-2-3", "²-1", "9" * 30 + "-1"])
def test_a_version_from_an_address_is_checked(text):
    assert Version.read(text) is None


def test_a_version_survives_its_text():
    assert Version.read(str(Version(12, 345))) == Version(12, 345)


def test_the_overview_has_the_figures_of_the_main_criterion(labels):
    assert selectors.overview(labels.project) is None
    for name in ("ada", "ben"):
        labels.add(name, A, B, TIE, A, B, A if name == "ada" else B)
    for judge, value in (("length", A), ("trained", B)):
        rater = labels.rater(judge, judge=True)
        if judge == "length":
            JudgeConfig.objects.create(
                project=labels.project, rater=rater, name=judge, engine="baseline", model="length"
            )
        for order in Order:
            labels.add(judge, A, value, judge=True, order=order)

    overview = selectors.overview(labels.project)

    assert overview is not None
    assert (overview.people, overview.labels) == (2, 20)
    assert overview.alpha["estimate"] == pytest.approx(0.75, abs=0.02)
    assert overview.judge is not None
    assert overview.judge.name == "trained"
    assert not overview.judge.is_baseline
    assert overview.judge_with_people is not None
    assert overview.judge_with_people["estimate"] == 1.0
    assert overview.consistency is not None
    assert overview.consistency["estimate"] == 1.0


def test_a_large_overview_is_left_to_a_worker(labels, monkeypatch):
    labels.add("ada", A, B)
    sent = []
    monkeypatch.setattr(dashboard, "SMALL", 1)
    monkeypatch.setattr("apps.analytics.selectors.current_app.send_task", lambda name, kwargs: sent.append(name))
    assert selectors.overview(labels.project) is None
    assert selectors.overview(labels.project) is None
    assert sent == ["apps.analytics.tasks.warm"]
    dashboard.make(dataset_id=labels.dataset.pk, criterion=labels.criterion)
    assert selectors.overview(labels.project) is not None


def test_archived_data_is_not_reported_on(labels):
    labels.add("ada", A, B)
    assert [each.criterion for each in selectors.judged(labels.project)] == [labels.criterion]
    labels.dataset.archived_at = timezone.now()
    labels.dataset.save()
    assert selectors.judged(labels.project) == []
