"""A real, durable PostgreSQL and Redis for one benchmark, with Django set up on them and all tables made."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.config.embedded import Postgres, Redis


@contextmanager
def stage(**settings: str) -> Iterator[Path]:
    """Start the servers as `up` does, migrate, and stop them at the end; gives the temporary folder."""
    with tempfile.TemporaryDirectory(prefix="jurybox bench ") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = Postgres(folder / "postgres", password="bench", log=folder / "postgres.log", settings=settings)
        redis = Redis(folder / "redis", password="bench", log=folder / "redis.log")
        try:
            os.environ.update(
                DATABASE_URL=postgres.start(),
                REDIS_URL=redis.start(),
                JURYBOX_VAR=str(folder / "var"),
                DJANGO_SETTINGS_MODULE="apps.config.settings",
            )
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            yield folder
        finally:
            from django.db import connections

            connections.close_all()
            redis.stop()
            postgres.stop()


def peak_mb() -> float:
    """This process's largest resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
