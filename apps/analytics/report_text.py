"""The report as aligned text for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.analytics.report_words import FIGURES, FLAGS, REASONS

_PAIR_TABLE = 300  # pairs of raters; beyond that the table helps nobody and --json has them all


def render(report: Mapping[str, Any]) -> str:
    """Every figure with its interval, its n and, where it has none, the reason."""
    blocks = [_head(report)]
    for name, criterion in report["criteria"].items():
        blocks += list(_criterion(name, criterion))
    blocks.append(_foot(report))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(report: Mapping[str, Any]) -> str:
    raters = report["raters"].values()
    humans, judges = (sum(r["kind"] == kind for r in raters) for kind in ("human", "judge"))
    lines = [
        ", ".join(
            [
                ngettext("{n:,} item", "{n:,} items", report["items"]).format(n=report["items"]),
                ngettext("{n:,} human", "{n:,} humans", humans).format(n=humans),
                ngettext("{n:,} judge", "{n:,} judges", judges).format(n=judges),
                _("{n:,} judgments").format(n=sum(r["judgments"] for r in raters)),
            ]
        )
    ]
    left_out = report["left_out"]
    for count, words in (
        (left_out["superseded"], _("{n:,} replaced by a later revision")),
        (left_out["other_samples"], _("{n:,} further samples")),
        *((n, _("{n:,} marked {mark}").replace("{mark}", mark)) for mark, n in left_out["marked"].items()),
    ):
        if count:
            lines.append(_("Left out: {what}.").format(what=words.format(n=count)))
    return "\n".join(lines)


def _foot(report: Mapping[str, Any]) -> str:
    method = report["method"]
    drawn = _("groups of items ({n:,})").format(n=report["groups"]) if method["resampled"] == "groups" else _("items")
    return _(
        "Intervals: {level:.0%} BCa bootstrap over {drawn}, {draws:,} draws; Wilson for rates of single items."
    ).format(level=method["level"], drawn=drawn, draws=method["draws"])


def _criterion(name: str, criterion: Mapping[str, Any]) -> Iterator[str]:
    yield _underlined(f"{name} ({', '.join(criterion['categories'])})", "=")
    if not criterion["categories_declared"]:
        if criterion["kind"] == "score":
            yield _("No rubric and no scale given: the scale {low}-{high} is assumed.").format(
                low=criterion["categories"][0], high=criterion["categories"][-1]
            )
        else:
            yield _("No rubric given: the categories are those that occur.")
    yield _shares(criterion)
    for key, title in (("humans", _("Humans with one another")), ("judges", _("Judges with one another"))):
        coverage = criterion["coverage"][key]
        if coverage["raters"] < 2:
            continue
        yield _section(title, _figures(criterion["agreement"][key]), _coverage(coverage, criterion["cross_check"][key]))
    yield _pairs(criterion["pairs"])
    for judge, report in criterion["judges"].items():
        yield from _judge(judge, report)


def _judge(name: str, judge: Mapping[str, Any]) -> Iterator[str]:
    notes = [_("{verdicts:,} verdicts on {items:,} items").format(verdicts=judge["verdicts"], items=judge["items"])]
    if judge["no_verdict"]:
        notes.append(_("{n:,} answers held no verdict").format(n=judge["no_verdict"]))
    if judge["orders"] is not None:
        notes.append(
            _("verdict: the same in both orders, else a tie")
            if judge["orders"] == "both"
            else _("orders: {orders}").format(orders=judge["orders"])
        )
    versus = judge["vs_humans"]
    if versus["majority_ties"]:
        notes.append(_("{n:,} items without a majority left out").format(n=versus["majority_ties"]))
    yield _section(_("Judge {name} with the humans").format(name=name), _figures(versus), "; ".join(notes) + ".")
    if _defined(judge["ceiling"]):
        yield _section(_("{name} beside the humans").format(name=name), _figures(judge["ceiling"]))
    swap = judge["swap"]
    if swap is not None and judge["orders"] == "both":
        notes = []
        if swap["unparsed"]:
            notes.append(_("{n:,} pairs without a verdict in some order left out").format(n=swap["unparsed"]))
        if swap["one_order_only"]:
            notes.append(_("{n:,} pairs judged in one order only left out").format(n=swap["one_order_only"]))
        if swap["direction_p"] is not None:
            notes.append(_("leaning either way as often: p = {p:.3g}, exact binomial").format(p=swap["direction_p"]))
        yield _section(_("{name} when the responses change places").format(name=name), _figures(swap), "; ".join(notes))
    yield _alt_test(name, judge["alt_test"])


def _alt_test(name: str, test: Mapping[str, Any]) -> str:
    if test["passed"] is None:
        return ""
    verdict = (
        _("{name} may stand in for a human annotator (ε = {epsilon:g}).")
        if test["passed"]
        else _("{name} may not stand in for a human annotator (ε = {epsilon:g}).")
    ).format(name=name, epsilon=test["epsilon"])
    rows = [[_("human"), "n", _("judge as close"), _("human as close"), "p", ""]]
    for human in test["humans"]:
        if human["p_value"] is None:
            rows.append([human["rater"], f"{human['n']:,}", "-", "-", "-", str(REASONS[human["reason"]])])
            continue
        rows.append(
            [
                human["rater"],
                f"{human['n']:,}",
                f"{human['advantage']:.1%}",
                f"{human['human_advantage']:.1%}",
                f"{human['p_value']:.3g}",
                _("judge wins") if human["rejected"] else "",
            ]
        )
    body = _table(rows, right={1, 2, 3, 4})
    return _section(_("Alternative annotator test"), _figures(test), verdict) + "\n" + body


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> str:
    if not pairs:
        return ""
    if len(pairs) > _PAIR_TABLE:
        return _("{n:,} pairs of raters: --json has them all.").format(n=len(pairs))
    rows = [["", "n", _("raw agreement"), "", "κ", "", _("κ quadratic"), ""]]
    for pair in pairs:
        row = [f"{pair['a']} · {pair['b']}", f"{pair['n']:,}"]
        for figure in ("raw_agreement", "cohen_kappa", "cohen_kappa_quadratic"):
            row += _cells(pair[figure])[:2]
        rows.append(row)
    if all(pair["cohen_kappa_quadratic"]["reason"] == "not_ordered" for pair in pairs):
        rows = [row[:6] for row in rows]
    return _section(_("Every two raters"), _table(rows, right={1, 2, 4, 6}))


def _shares(criterion: Mapping[str, Any]) -> str:
    rows = [["", *criterion["categories"]]]
    for rater, shares in criterion["shares"].items():
        if shares is not None:
            rows.append([rater, *(f"{share:.0%}" for share in shares.values())])
    if len(rows) == 1 or len(rows[0]) > 12 or len(rows) > 60:
        return ""
    return _section(_("How often each verdict is given"), _table(rows, right=set(range(1, len(rows[0])))))


def _coverage(coverage: Mapping[str, Any], check: Mapping[str, Any]) -> str:
    said = [
        _("{ratings:,} ratings of {raters:,} raters on {items:,} items").format(**coverage),
        _("{n:,} ratings alone on their item left out").format(n=coverage["ratings_unpaired"])
        if coverage["ratings_unpaired"]
        else "",
    ]
    if check["package"] is None:
        said.append(_("α was not cross-checked: the package krippendorff is not installed"))
    elif check["agrees"] is not None:
        said.append(
            (
                _("{package} gives the same α")
                if check["agrees"]
                else _("{package} gives another α: please report this")
            ).format(package=check["package"])
        )
    return "; ".join(filter(None, said)) + "."


def _figures(stats: Mapping[str, Any]) -> str:
    """One row a figure; what does not apply to this kind of criterion is left to --json."""
    rows = []
    for name, stat in stats.items():
        if name in FIGURES and stat["reason"] not in {"not_ordered", "not_numeric"}:
            estimate, interval, remark = _cells(stat)
            rows.append([str(FIGURES[name]), estimate, interval, f"n = {stat['n']:,}", remark])
    return _table(rows, right={1, 3})


def _cells(stat: Mapping[str, Any]) -> list[str]:
    if stat["estimate"] is None:
        return ["-", _("not defined: {reason}").format(reason=REASONS[stat["reason"]]), ""]
    interval = "" if stat["ci"] is None else "[{:.3f}, {:.3f}]".format(*stat["ci"])
    remarks = [str(FLAGS[flag]) for flag in stat.get("flags", ())]
    if stat["reason"] is not None:
        remarks.insert(0, _("no interval: {reason}").format(reason=REASONS[stat["reason"]]))
    return [f"{stat['estimate']:.3f}", interval, "; ".join(remarks)]


def _defined(stats: Mapping[str, Any]) -> bool:
    return any(stat["estimate"] is not None for stat in stats.values())


def _section(title: str, body: str, note: str = "") -> str:
    return "\n".join(part for part in (_underlined(title, "-"), body, note) if part)


def _underlined(title: str, line: str) -> str:
    return f"{title}\n{line * _width(title)}"


def _table(rows: Sequence[Sequence[str]], *, right: set[int]) -> str:
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    lines = []
    for row in rows:
        cells = []
        for i, cell in enumerate(row):
            space = " " * (widths[i] - _width(cell))
            cells.append(space + cell if i in right else cell + space)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
