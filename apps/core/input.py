"""Files that commands read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.core.management.base import CommandError

BAD_INPUT = 2  # the exit status for bad usage and bad input


@contextmanager
def open_input(name: str) -> Iterator[BinaryIO]:
    """The file, or standard input for `-`; one that cannot be read ends the command with BAD_INPUT and the reason."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 -- closed by the with below; only opening may fail like this
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}.", returncode=BAD_INPUT) from error
    with stream:
        try:
            yield stream
        except IsADirectoryError as error:
            raise CommandError(f"{name}: {error.strerror}.", returncode=BAD_INPUT) from error
