"""What the import commands share: finding things by name, opening the file, telling what came of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from django.core.management.base import BaseCommand, CommandError

from apps.core.input import BAD_INPUT
from apps.datasets.models import Dataset
from apps.imports.reading import Outcome
from apps.projects.models import Project
from apps.rubrics.models import Rubric, RubricVersion


def project_named(slug: str) -> Project:
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise _unknown("project", slug, Project.objects.values_list("slug", flat=True))
    return project


def dataset_named(project: Project, name: str) -> Dataset:
    dataset = Dataset.objects.filter(project=project, name=name).first()
    if dataset is None:
        raise _unknown("dataset", name, Dataset.objects.filter(project=project).values_list("name", flat=True))
    return dataset


def version_named(project: Project, name: str, number: int | None) -> RubricVersion:
    """The version of that number, or the latest published one."""
    rubric = Rubric.objects.filter(project=project, name=name).first()
    if rubric is None:
        raise _unknown("rubric", name, Rubric.objects.filter(project=project).values_list("name", flat=True))
    versions = rubric.versions.filter(status=RubricVersion.Status.PUBLISHED)
    version = (versions if number is None else versions.filter(number=number)).order_by("-number").first()
    if version is None:
        has = ", ".join(str(n) for n in versions.values_list("number", flat=True)) or "none"
        raise CommandError(f'rubric "{name}" has no such published version. Published: {has}.', returncode=BAD_INPUT)
    return version


def report(command: BaseCommand, outcome: Outcome, what: str) -> None:
    """Every problem to standard error, one line for the result; exit status 2 where anything was wrong."""
    problems = outcome.problems
    for problem in problems.told:
        command.stderr.write(str(problem))
    untold = problems.total - len(problems.told)
    if untold:
        command.stderr.write(f"… and {untold} more problems.")
    if outcome.refused:
        raise CommandError(
            f"Nothing was imported: {problems.bad} lines are wrong. Correct them, or add --good-rows to keep the rest.",
            returncode=BAD_INPUT,
        )
    command.stdout.write(f"{outcome.stored} {what} imported.")
    if problems.bad:
        raise CommandError(f"{problems.bad} lines were wrong and left out.", returncode=BAD_INPUT)


def _unknown(what: str, name: str, known: Iterable[str]) -> CommandError:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        hint = f'Did you mean "{near[0]}"?'
    else:
        hint = f"There are: {', '.join(names)}." if names else "There is none yet."
    return CommandError(f'there is no {what} "{name}". {hint}', returncode=BAD_INPUT)
