from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.datasets.models import Dataset
from apps.exports import services
from apps.exports.models import Export
from apps.exports.options import JudgmentOptions, PreferenceOptions
from apps.projects.models import Project
from apps.rubrics.models import Criterion, RubricVersion

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Write judgments, or preferences for TRL, as JSONL, with a manifest beside the file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's short name, as in its address")
        parser.add_argument("kind", choices=Export.Kind.values)
        parser.add_argument("--dataset", required=True)
        parser.add_argument("--rubric", required=True)
        parser.add_argument("--rubric-version", type=int, help="the latest published one if left out")
        parser.add_argument("--output", default="-", help="a file; standard output if left out")
        parser.add_argument("--raters", choices=["all", "humans", "judges"], default="all")
        parser.add_argument("--unmarked", action="store_true", help="without warm-up, gold, late and adjudicated ones")
        parser.add_argument("--revisions", action="store_true", help="every revision, not only the latest")
        parser.add_argument("--criterion", default="overall")
        parser.add_argument("--source", choices=["majority", "adjudicated"], default="majority")
        parser.add_argument("--min-raters", type=int, default=1)
        parser.add_argument("--min-agreement", type=float, default=0.5, help="a share, 0 to 1")
        parser.add_argument("--form", choices=["text", "conversational"], default="text")
        parser.add_argument("--extras", action="store_true", help="add the columns item and agreement")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            project = Project.objects.get(slug=options["project"])
            dataset = Dataset.objects.get(project=project, name=options["dataset"])
        except (Project.DoesNotExist, Dataset.DoesNotExist) as error:
            missing = "project" if isinstance(error, Project.DoesNotExist) else "dataset"
            raise CommandError(f'there is no {missing} "{options[missing]}".', returncode=BAD_INPUT) from error
        version = self._version(project, options)
        export = services.create_export(
            project=project, dataset=dataset, rubric_version=version, options=self._options(version, options)
        )
        if options["output"] == "-":
            for chunk in services.write(export):
                sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
            return
        path = Path(options["output"])
        try:
            with path.open("wb") as file:
                for chunk in services.write(export):
                    file.write(chunk)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        export.refresh_from_db()
        about = path.with_name(path.name + ".manifest.json")
        about.write_text(json.dumps(services.manifest(export), indent=2, ensure_ascii=False) + "\n")
        self.stdout.write(f"{export.rows} lines in {path}; {about.name} says what they are.")

    def _version(self, project: Project, options: dict[str, Any]) -> RubricVersion:
        versions = RubricVersion.objects.filter(
            rubric__project=project, rubric__name=options["rubric"], status=RubricVersion.Status.PUBLISHED
        )
        if options["rubric_version"] is not None:
            versions = versions.filter(number=options["rubric_version"])
        version = versions.order_by("-number").first()
        if version is None:
            raise CommandError(f'no such published rubric: "{options["rubric"]}".', returncode=BAD_INPUT)
        return version

    def _options(self, version: RubricVersion, options: dict[str, Any]) -> JudgmentOptions | PreferenceOptions:
        if options["kind"] == Export.Kind.JUDGMENTS:
            return JudgmentOptions(
                raters=options["raters"], marked=not options["unmarked"], revisions=options["revisions"]
            )
        keys = list(version.criteria.filter(kind=Criterion.Kind.PAIR).values_list("key", flat=True))
        if options["criterion"] not in keys:
            has = ", ".join(keys) or "none"
            raise CommandError(
                f'the rubric has no preference "{options["criterion"]}". It has: {has}.', returncode=BAD_INPUT
            )
        if not 0 <= options["min_agreement"] <= 1:
            raise CommandError(f"--min-agreement {options['min_agreement']:g}: write 0 to 1.", returncode=BAD_INPUT)
        return PreferenceOptions(
            criterion=options["criterion"],
            source=options["source"],
            min_raters=options["min_raters"],
            min_agreement=options["min_agreement"],
            form=options["form"],
            extras=options["extras"],
        )
