"""`manage.py login_link USER`: print a link that signs this user in once."""

from __future__ import annotations

import math
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts import selectors, services
from apps.accounts.models import User

YEAR = 24 * 366


class Command(BaseCommand):
    help = "Print a link that signs a user in once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="their user name")
        parser.add_argument("--hours", type=float, default=24, help="how long it can be used (default: 24)")

    def handle(self, *args: Any, **options: Any) -> None:
        name, hours = options["user"], options["hours"]
        if not (math.isfinite(hours) and 0 < hours <= YEAR):
            raise CommandError(f"--hours is {hours:g}: give a number above 0 and up to {YEAR}.", returncode=2)
        user = User.objects.filter(username__iexact=name, is_active=True).first() if "\x00" not in name else None
        if user is None:
            close = selectors.similar_usernames(name)
            hint = f" Did you mean {' or '.join(close)}?" if close else ""
            raise CommandError(f'There is no user "{name}".{hint}', returncode=2)
        self.stdout.write(services.base_url() + services.create_login_link(user=user, hours=hours))
