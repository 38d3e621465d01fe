"""`manage.py load_demo`: make the demo project, if there is none."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.services import ensure_first_admin
from apps.home.services import load_demo


class Command(BaseCommand):
    help = "Make the demo project, with simulated annotators and the baselines; does nothing where there is one."

    def handle(self, *args: Any, **options: Any) -> None:
        project = load_demo(admin=ensure_first_admin())
        if options["verbosity"] >= 1:
            self.stdout.write("The demo is there already." if project is None else f"{project.name} is loaded.")
