from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.core.input import open_input
from apps.imports import services
from apps.imports.management.files import dataset_named, project_named, report, version_named


class Command(BaseCommand):
    help = "Import judgments (one JSON object a line) of a dataset's items. Nothing is stored if a line is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's short name, as in its address")
        parser.add_argument("file", help="a JSONL file, or - for standard input")
        parser.add_argument("--dataset", required=True, help="the dataset that has the items")
        parser.add_argument("--rubric", required=True, help="the rubric they were made under")
        parser.add_argument(
            "--rubric-version", type=int, dest="number", help="its version; the latest published one if left out"
        )
        parser.add_argument("--good-rows", action="store_true", help="store the good lines even if others are wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        dataset = dataset_named(project, options["dataset"])
        version = version_named(project, options["rubric"], options["number"])
        with open_input(options["file"]) as stream:
            outcome = services.import_judgments(
                dataset=dataset, version=version, stream=stream, good_rows_only=options["good_rows"]
            )
        report(self, outcome, "judgments")
