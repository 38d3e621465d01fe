from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, datetime

import numpy as np
import pytest

from apps.analytics.stats import MISSING, LabelMatrix, Scale
from apps.analytics.stats.agreement import agreement
from apps.datasets.formats.items_jsonl import read_items
from apps.datasets.formats.judgments_jsonl import read_judgments, write_judgment
from apps.datasets.formats.records import ItemRecord, JudgmentRecord
from apps.home.demo import content
from apps.home.demo.simulate import ANNOTATORS, simulate_pairs, simulate_scores
from apps.rubrics.reader import read_rubric

SYSTEMS = {"atlas-large", "atlas-small", "birch-v2", "cedar-chat"}
HAN = re.compile("[\u4e00-\u9fff]")
NAMES = [annotator.name for annotator in ANNOTATORS]
UNTIL = datetime(2025, 3, 14, 9, tzinfo=UTC)


def items(name: str) -> list[ItemRecord]:
    read = list(read_items(content.stream(name)))
    assert [entry for entry in read if not isinstance(entry, ItemRecord)] == []
    return [entry for entry in read if isinstance(entry, ItemRecord)]


PAIRS = items(content.PAIRS)
SINGLES = items(content.SINGLES)


@pytest.mark.parametrize(("records", "kind", "references"), [(PAIRS, "pair", 34), (SINGLES, "single", 40)])
def test_items_are_a_balanced_bilingual_set(records, kind, references):
    assert [record.id for record in records] == [f"demo-{kind}-{n:03d}" for n in range(1, 41)]
    assert {record.kind for record in records} == {kind}
    assert Counter(record.meta["language"] for record in records) == {"en": 20, "zh": 20}
    assert sum(record.reference is not None for record in records) >= references
    assert len({record.scenario for record in records}) >= 8
    assert {response.system for record in records for response in record.responses} == SYSTEMS
    assert sum(record.context is not None for record in records) >= 4
    assert sum(record.messages is not None for record in records) >= 4


def test_an_item_asks_in_the_language_it_says():
    for record in PAIRS + SINGLES:
        chinese = len(HAN.findall(record.instruction))
        if record.meta["language"] == "zh":
            assert chinese >= 5, record.id
        elif record.scenario != "translation":  # which asks about words of another language
            assert chinese == 0, record.id


def test_every_two_systems_meet_often():
    meetings = Counter(frozenset(response.system for response in record.responses) for record in PAIRS)
    assert len(meetings) == 6
    assert min(meetings.values()) >= 4


def test_every_item_has_a_truth():
    pairs, singles = content.pair_truths(), content.single_truths()
    assert list(pairs) == [record.id for record in PAIRS]
    assert list(singles) == [record.id for record in SINGLES]
    assert all(0 <= truth.strength <= 1 and truth.why for truth in pairs.values())
    for single in singles.values():
        assert list(single.scores) == ["correct", "complete", "clear"]
        assert set(single.scores.values()) <= {1, 2, 3, 4, 5}
        assert single.why


def test_length_says_nothing_about_quality():
    truths = content.pair_truths()
    longer_is_better = Counter(
        ("A" if len(record.responses[0].text) > len(record.responses[1].text) else "B") == truths[record.id].preferred
        for record in PAIRS
        if truths[record.id].preferred != "tie"
    )
    assert abs(longer_is_better[True] - longer_is_better[False]) <= 3
    sides = Counter(truth.preferred for truth in truths.values())
    assert abs(sides["A"] - sides["B"]) <= 2
    assert sides["tie"] >= 5


def test_rubrics_ask_for_what_is_simulated():
    pairwise = read_rubric(content.read(content.PAIRWISE_RUBRIC), name=content.PAIRWISE_RUBRIC)
    scores = read_rubric(content.read(content.SCORES_RUBRIC), name=content.SCORES_RUBRIC)
    assert (pairwise.problems, scores.problems) == ((), ())
    assert pairwise.draft is not None
    assert [(c.id, c.kind, c.ties) for c in pairwise.draft.criteria] == [("overall", "pair", True)]
    assert scores.draft is not None
    assert [c.id for c in scores.draft.criteria] == ["correct", "complete", "clear"]
    for criterion in scores.draft.criteria:
        assert (criterion.kind, criterion.scale) == ("score", (1, 5))
        assert list(criterion.levels) == [1, 2, 3, 4, 5]


def test_the_simulation_repeats_itself():
    assert list(simulate_pairs(seed=3, until=UNTIL)) == list(simulate_pairs(seed=3, until=UNTIL))
    assert list(simulate_scores(seed=3)) == list(simulate_scores(seed=3))
    assert list(simulate_pairs(seed=3)) != list(simulate_pairs(seed=4))


@pytest.mark.parametrize("simulate", [simulate_pairs, simulate_scores])
def test_simulated_judgments_survive_a_file(simulate, tmp_path):
    path = tmp_path / "judgments.jsonl"
    records = list(simulate(until=UNTIL))
    path.write_bytes(b"".join(write_judgment(record) for record in records))
    with path.open("rb") as stream:
        assert list(read_judgments(stream)) == records
    assert {record.kind for record in records} == {"human"}
    assert {record.rater for record in records} == set(NAMES)
    assert all(name.startswith("Simulated ") for name in NAMES)
    assert all(record.at is not None and record.at < UNTIL for record in records)
    assert 10 <= sum(record.rationale is not None for record in records) <= 40


@pytest.mark.parametrize(
    ("records", "truths", "simulate", "criteria"),
    [(PAIRS, content.pair_truths(), simulate_pairs, 1), (SINGLES, content.single_truths(), simulate_scores, 3)],
)
def test_eight_items_are_left_to_label(records, truths, simulate, criteria):
    found = Counter(judgment.item for judgment in simulate())
    assert all(found[item] == truth.labels * criteria for item, truth in truths.items())
    unfinished = [record for record in records if truths[record.id].labels < content.OVERLAP]
    assert Counter(record.meta["language"] for record in unfinished) == {"en": 4, "zh": 4}
    assert sum(truths[record.id].labels == 0 for record in unfinished) == 4


def test_each_side_is_shown_as_often_on_every_pair():
    orders: dict[str, Counter[str]] = defaultdict(Counter)
    for judgment in simulate_pairs():
        orders[judgment.item][judgment.order] += 1
    assert all(abs(seen["AB"] - seen["BA"]) <= 1 for seen in orders.values())
    assert {judgment.order for judgment in simulate_scores()} == {"AB"}


def test_every_two_annotators_share_items():
    raters: dict[str, set[str]] = defaultdict(set)
    for judgment in simulate_pairs():
        raters[judgment.item].add(judgment.rater)
    shared = Counter((a, b) for names in raters.values() for a in names for b in names if a < b)
    assert len(shared) == 10
    assert min(shared.values()) >= 6


def matrix(records: list[JudgmentRecord], scale: Scale) -> LabelMatrix:
    rows = sorted({record.item for record in records})
    codes = np.full((len(rows), len(NAMES)), MISSING, dtype=np.int8)
    for record in records:
        label = record.verdict if record.score is None else f"{record.score:.0f}"
        codes[rows.index(record.item), NAMES.index(record.rater)] = scale.labels.index(str(label))
    return LabelMatrix(codes, scale, tuple(NAMES))


def test_the_annotators_agree_as_people_do():
    pairs = agreement(matrix(list(simulate_pairs()), Scale.pair()), draws=200)
    alpha = pairs["krippendorff_alpha_nominal"].estimate
    assert alpha is not None
    assert 0.55 <= alpha <= 0.75
    for criterion in ("correct", "complete", "clear"):
        scores = [record for record in simulate_scores() if record.criterion == criterion]
        alpha = agreement(matrix(scores, Scale.scores(1, 5)), draws=200)["krippendorff_alpha_ordinal"].estimate
        assert alpha is not None
        assert 0.5 <= alpha <= 0.9


def test_nobody_real_is_named():
    texts = b"".join(
        content.read(name) for name in (content.PAIRS, content.SINGLES, content.PAIRWISE_RUBRIC, content.SCORES_RUBRIC)
    )
    real = (
        "google", "openai", "microsoft", "apple inc", "amazon", "facebook", "anthropic", "deepseek", "chatgpt",
        "gpt-", "claude", "gemini", "llama", "qwen", "einstein", "newton", "gauss", "pythagoras", "euclid",
        "微信", "支付宝", "淘宝", "京东", "百度", "腾讯", "阿里", "华为", "抖音", "小红书", "滴滴", "高斯", "牛顿",
        "爱因斯坦", "李白", "杜甫", "屈原", "鲁迅",
    )  # fmt: skip
    lowered = texts.decode().lower()
    assert [name for name in real if name in lowered] == []
