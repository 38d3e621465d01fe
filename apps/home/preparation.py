"""What has to be true before pages are served: tables, translations, static files, an admin, the demo project.

Each step looks first, cheaply, whether there is anything to do: on a second start there is not.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import polib
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

Say = Callable[[str], None]


def migrate(say: Say) -> None:
    """Bring the tables up to date."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        say(f"Bringing the database up to date ({len(plan)} steps) ...")
        call_command("migrate", interactive=False, verbosity=0)


def compile_translations(say: Say) -> None:
    """Make the .mo files that are older than their .po file; gettext's own tools are on few machines."""
    for folder in settings.LOCALE_PATHS:
        for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
            compiled = source.with_suffix(".mo")
            if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
                continue
            say(f"Compiling the translation {source.parent.parent.name} ...")
            fresh = compiled.with_suffix(".new")  # a reader sees the old file or the new one, never half of one
            polib.pofile(os.fspath(source)).save_as_mofile(os.fspath(fresh))
            fresh.replace(compiled)


def collect_static(say: Say) -> None:
    """Collect, hash and compress the static files when any of them has changed."""
    if settings.SERVESTATIC_USE_FINDERS:
        return  # served from where they stand
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = os.stat(storage.path(path))
            digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    stamp = Path(settings.VAR_DIR) / "static.sha256"
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and Path(settings.STATIC_ROOT).is_dir():
        return
    say("Collecting static files ...")
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(digest.hexdigest())


def demo(say: Say) -> None:
    """Load the demo project once: who deletes it does not get it back at the next start."""
    stamp = Path(settings.VAR_DIR) / "demo.json"
    database = str(connection.settings_dict["NAME"])
    if "load_demo" not in get_commands() or (stamp.exists() and database in json.loads(stamp.read_text())):
        return
    say("Loading the demo project ...")
    with transaction.atomic():
        call_command("load_demo", verbosity=0)
    stamp.write_text(json.dumps([database]))


def queues() -> list[str]:
    """The Celery queues that a worker on this machine serves: every queue of the settings."""
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    return sorted({settings.CELERY_TASK_DEFAULT_QUEUE, *routed})
