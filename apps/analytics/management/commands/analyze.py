from __future__ import annotations

import argparse
import json
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from apps.analytics.report import EPSILON, collected_report
from apps.analytics.report_columns import BadInput, Collector, InputProblem
from apps.analytics.report_text import render
from apps.analytics.stats.labels import MAX_LEVELS
from apps.core.input import BAD_INPUT, open_input
from apps.datasets.formats.items_jsonl import read_items
from apps.datasets.formats.judgments_jsonl import read_judgments
from apps.datasets.formats.records import ItemRecord, Problem
from apps.rubrics.reader import RubricDraft, read_rubric

_TOLD = 1000  # problems that are printed; the rest is counted


class Command(BaseCommand):
    help = "Report how far humans and judges agree, from files alone: no database, no server."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "judgments", nargs="+", metavar="JUDGMENTS.jsonl", help="one judgment a line; - for standard input"
        )
        parser.add_argument("--items", metavar="ITEMS.jsonl", help="the items; their groups are drawn together")
        parser.add_argument("--rubric", metavar="RUBRIC.yaml", help="what was asked: criteria, scales, options")
        parser.add_argument("--scale", type=_scale, metavar="1-5", help="lowest and highest score (1-5)")
        parser.add_argument(
            "--epsilon", type=_epsilon, default=EPSILON, help="what the alternative annotator test allows (0.2)"
        )
        parser.add_argument("--json", action="store_true", help="print the whole report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rubric"] and options["scale"]:
            raise CommandError(_("The rubric has the scale: leave out --scale or --rubric."), returncode=BAD_INPUT)
        if options["judgments"].count("-") + (options["items"] == "-") > 1:
            raise CommandError(_("Standard input (-) can be read once only."), returncode=BAD_INPUT)
        problems: list[InputProblem] = []
        rubric = None if options["rubric"] is None else _read_rubric(options["rubric"], problems)
        items = None if options["items"] is None else _read_items(options["items"], problems)
        # With faults in these files, faults that only follow from them would hide the judgments' own.
        sound = not problems
        collector = Collector(items=items if sound else None, rubric=rubric if sound else None, scale=options["scale"])
        for name in options["judgments"]:
            with open_input(name) as stream:
                for entry in read_judgments(stream):
                    if isinstance(entry, Problem):
                        problems.append(InputProblem(name, entry))
                    else:
                        collector.add(entry, name)
        try:
            report = None if problems else collected_report(collector, epsilon=options["epsilon"])
        except BadInput:
            report = None
        if report is None:
            self._refuse(problems + collector.problems)
            return
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False, allow_nan=False, indent=2))
        else:
            self.stdout.write(render(report), ending="")

    def _refuse(self, problems: list[InputProblem]) -> None:
        for problem in problems[:_TOLD]:
            self.stderr.write(str(problem))
        if len(problems) > _TOLD:
            self.stderr.write(_("… and {n:,} more problems.").format(n=len(problems) - _TOLD))
        raise CommandError(
            _("Nothing was computed. Correct what is listed above ({n:,}) and try again.").format(n=len(problems)),
            returncode=BAD_INPUT,
        )


def _read_items(name: str, problems: list[InputProblem]) -> list[ItemRecord]:
    items = []
    with open_input(name) as stream:
        for entry in read_items(stream):
            if isinstance(entry, Problem):
                problems.append(InputProblem(name, entry))
            else:
                items.append(entry)
    return items


def _read_rubric(name: str, problems: list[InputProblem]) -> RubricDraft | None:
    with open_input(name) as stream:
        reading = read_rubric(stream.read(), name=name)
    for error in reading.errors:
        remedy = " ".join(
            [
                _("Expected {expected}.").format(expected=error.expected) if error.expected else "",
                _("Did you mean {meant}?").format(meant=error.meant) if error.meant else "",
            ]
        ).strip()
        problems.append(InputProblem(name, Problem(error.line, error.path, error.found, error.message, remedy)))
    return reading.draft


def _scale(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*(-?\d{1,6})\s*(?:-|–|to|\.\.)\s*(-?\d{1,6})\s*", text)
    low, high = (int(found[1]), int(found[2])) if found else (0, 0)
    if low >= high:
        raise argparse.ArgumentTypeError(_("“{text}” is not a scale; write it as 1-5").format(text=text))
    if high - low >= MAX_LEVELS:
        raise argparse.ArgumentTypeError(_("a scale has at most {n} levels").format(n=MAX_LEVELS))
    return low, high


def _epsilon(text: str) -> float:
    try:
        epsilon = float(text)
    except ValueError:
        epsilon = -1
    if not 0 <= epsilon < 1:
        raise argparse.ArgumentTypeError(_("“{text}” is not a number from 0 to 1").format(text=text))
    return epsilon
