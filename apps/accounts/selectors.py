"""Reads of accounts."""

from __future__ import annotations

import difflib

from django.utils import timezone

from apps.accounts.models import SignInLink, User
from apps.accounts.services import digest_of


def open_link(token: str) -> SignInLink | None:
    """The link of that token while it can still be used; looking burns nothing."""
    return (
        SignInLink.objects.select_related("user")
        .filter(digest=digest_of(token), used_at=None, expires_at__gt=timezone.now(), user__is_active=True)
        .first()
    )


def similar_usernames(name: str) -> list[str]:
    """User names that `name` may have been meant for, the closest first."""
    known = {
        known.casefold(): known for known in User.objects.filter(is_active=True).values_list("username", flat=True)
    }
    return [known[close] for close in difflib.get_close_matches(name.casefold(), known, n=3)]
