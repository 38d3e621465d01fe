from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.core.input import open_input
from apps.datasets.models import Dataset
from apps.datasets.tasks import render_soon
from apps.imports import services
from apps.imports.management.files import project_named, report


class Command(BaseCommand):
    help = "Import items (one JSON object a line) into a dataset. Nothing is stored if a line is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's short name, as in its address")
        parser.add_argument("file", help="a JSONL file, or - for standard input")
        parser.add_argument("--dataset", required=True, help="its name; made if it does not exist")
        parser.add_argument("--sampling", choices=Dataset.Sampling.values, default=Dataset.Sampling.UNKNOWN)
        parser.add_argument("--good-rows", action="store_true", help="store the good lines even if others are wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        with open_input(options["file"]) as stream:
            dataset, outcome = services.import_items(
                project=project,
                dataset_name=options["dataset"],
                stream=stream,
                sampling=options["sampling"],
                good_rows_only=options["good_rows"],
            )
        if dataset is not None:
            render_soon(dataset.pk)
        report(self, outcome, "items")
