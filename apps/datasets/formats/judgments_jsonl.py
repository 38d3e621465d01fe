"""Judgments as JSON Lines: `{"item", "rater", "kind", "verdict" or "score" or "choice", …}` a line, un-swapped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, cast

import orjson

from apps.core.said import said as _
from apps.datasets.formats.fields import Checker
from apps.datasets.formats.lines import FirstLines, parse_object, read_lines, repeated_field, type_name
from apps.datasets.formats.records import COUNTER_MAX, ITEM_ID_LENGTH, SCORE_MAX, SECONDS_MAX, JudgmentRecord, Problem

_FIELDS = frozenset(JudgmentRecord.__dataclass_fields__) - {"line"}
_ALIASES = {
    "item_id": "item", "id": "item", "idx": "item", "annotator": "rater", "user": "rater", "judge": "rater",
    "worker": "rater", "type": "kind", "label": "verdict", "preference": "verdict", "winner": "verdict",
    "rating": "score", "value": "score", "class": "choice", "category": "choice", "comment": "rationale",
    "reason": "rationale", "explanation": "rationale", "probability": "confidence", "time": "seconds",
    "duration": "seconds", "timestamp": "at", "created_at": "at", "date": "at", "position": "order",
}  # fmt: skip
_KINDS = ("human", "judge")
_KIND_ALIASES = {
    "person": "human", "annotator": "human", "user": "human", "model": "judge", "llm": "judge", "machine": "judge",
}  # fmt: skip
_ORDERS = ("AB", "BA")
_VERDICTS = ("A", "B", "tie")
_VERDICT_ALIASES = {
    "draw": "tie", "equal": "tie", "same": "tie", "0": "tie", "c": "tie", "1": "A", "2": "B", "first": "A",
    "second": "B", "left": "A", "right": "B", "a>b": "A", "b>a": "B", "model_a": "A", "model_b": "B",
}  # fmt: skip
_STATUSES = ("ok", "unparsed", "truncated", "refused", "error")
_STRENGTHS = ("much", "slight")
_MARKS = ("warmup", "gold", "late", "adjudicated")
_NONE: dict[str, str] = {}
_ANSWERS = ("verdict", "score", "choice")
_MOMENT = _("Write it like 2025-03-14T09:26:53+00:00.")
_RATERS_CHECKED = 100_000  # beyond this many names the memory of who is who would no longer be small


def read_judgments(stream: BinaryIO) -> Iterator[JudgmentRecord | Problem]:
    """Records and problems in line order. Every line is checked, and all that is wrong with a line is said.

    What a file cannot say is left to its user: whether item and criterion exist, and whether a score is on the scale.
    Across lines it holds that a key comes once, a rater is of one kind, and a criterion has one kind of answer.
    """
    first = FirstLines()
    raters: dict[str, tuple[str, int]] = {}
    criteria: dict[tuple[str | None, str], tuple[str, int]] = {}
    check = Checker()
    for entry in read_lines(stream):
        if isinstance(entry, Problem):
            yield entry
            continue
        number, line = entry
        check.line = number
        row = parse_object(number, line, check.problems)
        if row is not None:
            twice = repeated_field(line, row)
            if twice is not None:
                field = twice if twice in _FIELDS else ""
                check.add(field, twice, _("is given twice"), _("Write every field once."))
            record = _judgment(row, check)
            if record is not None:
                _across_lines(record, check, first, raters, criteria)
                if not check.problems:
                    yield record
                    continue
        yield from check.problems
        check.problems.clear()


def write_judgment(record: JudgmentRecord) -> bytes:
    """The line that `read_judgments` reads back as an equal record, with its line break."""
    row: dict[str, Any] = {
        "item": record.item,
        "rater": record.rater,
        "kind": record.kind,
        "criterion": record.criterion,
        "order": record.order,
    }
    if record.score is not None:
        row["score"] = int(record.score) if record.score.is_integer() else record.score
    elif record.choice is not None:
        row["choice"] = record.choice
    else:
        row["verdict"] = record.verdict
    if record.status != "ok":
        row["status"] = record.status
    if record.both_bad:
        row["both_bad"] = True
    if record.sample:
        row["sample"] = record.sample
    if record.revision:
        row["revision"] = record.revision
    for field in ("strength", "mark", "rationale", "confidence", "seconds", "rubric"):
        value = getattr(record, field)
        if value is not None:
            row[field] = value
    if record.at is not None:
        row["at"] = record.at.isoformat()
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _judgment(row: dict[str, Any], check: Checker) -> JudgmentRecord | None:
    if not row.keys() <= _FIELDS:
        check.unknown_fields("", row, _FIELDS, _ALIASES, _("Remove it."))
    get = row.get
    item, rater, kind = get("item"), get("rater"), get("kind")
    if item is None:
        check.missing("item", _("Write the id of the item that was judged."))
    else:
        item = check.name("item", item, ITEM_ID_LENGTH)
    if rater is None:
        check.missing("rater", _("Name the person or the model that judged."))
    else:
        rater = check.name("rater", rater)
    if kind is None:
        check.missing("kind", _('Write "human" or "judge".'))
    elif kind not in _KINDS:
        kind = check.option("kind", kind, _KINDS, _KIND_ALIASES)

    # null says the same as leaving an optional field out
    criterion, order, rubric = get("criterion"), get("order"), get("rubric")
    criterion = "overall" if criterion is None else check.name("criterion", criterion)
    if order is None:
        order = "AB"
    elif order not in _ORDERS:
        order = check.option("order", order, _ORDERS, _NONE)
    if rubric is not None:
        rubric = check.name("rubric", rubric)

    status, verdict, score, choice = get("status"), get("verdict"), get("score"), get("choice")
    given = (verdict is not None) + (score is not None) + (choice is not None)
    if status is None:
        status = "ok"
    if status != "ok":
        status = check.option("status", status, _STATUSES, _NONE)
        if status is not None and given:
            field = next(name for name in _ANSWERS if get(name) is not None)
            message = _('stands beside status "%(status)s", which says that there is none', status=status)
            remedy = _('Write null, or status "ok" if the %(field)s is real.', field=field)
            check.add(field, row[field], message, remedy)
    elif given != 1:
        _explain_answers(row, given, check)
    if verdict is not None and verdict not in _VERDICTS:
        verdict = check.option("verdict", verdict, _VERDICTS, _VERDICT_ALIASES)
    if score is not None:
        score = check.number("score", score)
        if score is not None and not -SCORE_MAX < score < SCORE_MAX:
            remedy = _("Write a score on the criterion's scale.")
            check.add("score", row["score"], _("is beyond any scale"), remedy)
    if choice is not None:
        choice = check.name("choice", choice)

    strength, both_bad, mark = get("strength"), get("both_bad"), get("mark")
    if strength is not None:
        strength = check.option("strength", strength, _STRENGTHS, _NONE)
        if row.get("verdict") not in ("A", "B"):
            message = _("says how much better one response is, but the verdict is neither A nor B")
            check.add("strength", row["strength"], message, _("Remove it, or write the verdict."))
    if both_bad is not None:
        both_bad = check.flag("both_bad", both_bad)
        if both_bad and row.get("verdict") != "tie":
            remedy = _('Remove it, or write the verdict "tie".')
            check.add("both_bad", True, _("goes with the verdict tie only"), remedy)
    if mark is not None:
        mark = check.option("mark", mark, _MARKS, _NONE)

    sample, revision = get("sample"), get("revision")
    sample = 0 if sample is None else check.count("sample", sample, COUNTER_MAX)
    revision = 0 if revision is None else check.count("revision", revision, COUNTER_MAX)

    rationale, confidence, seconds, at = get("rationale"), get("confidence"), get("seconds"), get("at")
    if rationale is not None:
        rationale = check.text("rationale", rationale)
    if confidence is not None:
        confidence = check.number("confidence", confidence)
        if confidence is not None and not 0 <= confidence <= 1:
            if 1 < confidence <= 100:
                remedy = _("Write %(number)s?", number=f"{confidence / 100:g}")
            else:
                remedy = _("Write a number such as 0.8.")
            check.add("confidence", row["confidence"], _("must be from 0 to 1"), remedy)
    if seconds is not None:
        seconds = check.number("seconds", seconds)
        if seconds is not None and not 0 <= seconds <= SECONDS_MAX:
            if seconds < 0:
                message = _("must not be negative")
            else:
                message = _("must not be over %(limit)s", limit=f"{SECONDS_MAX:,.0f}")
            check.add("seconds", row["seconds"], message, _("Write the active time in seconds."))
    if at is not None:
        at = _moment(at, check)
    if check.problems:
        return None
    return JudgmentRecord(
        check.line, cast(str, item), cast(str, rater), cast(Any, kind), cast(str, criterion), cast(Any, order),
        cast(Any, verdict), score, choice, cast(Any, status), cast(Any, strength), bool(both_bad),
        cast(int, sample), cast(int, revision), cast(Any, mark), rationale, confidence, seconds, rubric, at,
    )  # fmt: skip


def _explain_answers(row: dict[str, Any], given: int, check: Checker) -> None:
    if given:
        fields = [field for field in _ANSWERS if row.get(field) is not None]
        message = _("stands beside %(field)s, and a judgment has one answer", field=fields[0])
        check.add(fields[1], row[fields[1]], message, _("Write one line a criterion."))
        return
    field = next((name for name in _ANSWERS if name in row), "verdict")
    remedy = _('Write a verdict, a score or a choice; where there is none, a status such as "unparsed".')
    if field in row:
        check.add(field, None, _("is empty, and nothing says why"), remedy)
    else:
        check.missing(field, remedy)


def _moment(value: object, check: Checker) -> datetime | None:
    if not isinstance(value, str):
        check.add("at", value, _("must be a date and time in text, not %(kind)s", kind=type_name(value)), _MOMENT)
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        check.add("at", value, _("is not a date and time in ISO 8601"), _MOMENT)
        return None
    if moment.tzinfo is None:
        remedy = _("Write the offset too, for example %(example)s.", example=f"{value[:19]}Z")
        check.add("at", value, _("has no time zone"), remedy)
        return None
    if not 1970 <= moment.year <= 2200:
        check.add("at", value, _("is in the year %(year)s", year=moment.year), _MOMENT)
        return None
    return moment


def _across_lines(
    record: JudgmentRecord,
    check: Checker,
    first: FirstLines,
    raters: dict[str, tuple[str, int]],
    criteria: dict[tuple[str | None, str], tuple[str, int]],
) -> None:
    known = raters.get(record.rater)
    if known is None:
        if len(raters) < _RATERS_CHECKED:
            raters[record.rater] = (record.kind, record.line)
    elif known[0] != record.kind:
        message = _(
            'was a "%(kind)s" on line %(line)s for the rater %(rater)s',
            kind=known[0],
            line=known[1],
            rater=record.rater,
        )
        check.add("kind", record.kind, message, _("Give the two raters different names."))
    if record.status == "ok":
        answer = "verdict" if record.verdict is not None else "score" if record.score is not None else "choice"
        about = (record.rubric, record.criterion)
        before = criteria.get(about)
        if before is None:
            if len(criteria) < _RATERS_CHECKED:
                criteria[about] = (answer, record.line)
        elif before[0] != answer:
            message = _(
                "is the answer here, but line %(line)s has a %(answer)s for the criterion %(criterion)s",
                line=before[1],
                answer=before[0],
                criterion=record.criterion,
            )
            check.add(answer, getattr(record, answer), message, _("Give the two criteria different ids."))
    key = (record.item, record.rater, record.rubric, record.criterion, record.order, record.sample, record.revision)
    earlier = first.seen(key, record.line)
    if earlier:
        message = _(
            "was judged by %(rater)s on line %(line)s already, in the same order, sample and revision",
            rater=record.rater,
            line=earlier,
        )
        remedy = _('Remove one line, or count "sample" (asked again) or "revision" (changed their mind) up.')
        check.add("item", record.item, message, remedy)
