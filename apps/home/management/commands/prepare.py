"""`manage.py prepare`: everything that `up` needs done before it serves, in one process."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.services import create_login_link, ensure_first_admin
from apps.home import preparation


class Command(BaseCommand):
    help = (
        "Bring tables, translations and static files up to date, create the first admin and load the demo project. "
        "`up` runs this. Prints a JSON object: the admin's name, a fresh sign-in link, the Celery queues."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="do not load the demo project")

    def handle(self, *args: Any, **options: Any) -> None:
        preparation.migrate(self._say)
        preparation.compile_translations(self._say)
        preparation.collect_static(self._say)
        admin = ensure_first_admin()
        if not options["no_demo"]:
            preparation.demo(self._say)
        link = create_login_link(user=admin)
        self.stdout.write(json.dumps({"user": admin.username, "link": link, "queues": preparation.queues()}))

    def _say(self, line: str) -> None:
        self.stderr.write(f"  {line}", lambda text: text)  # progress, not an error: no red
