"""How often a password may be tried."""

from __future__ import annotations

import hashlib

from django.core.cache import cache

WINDOW_SECONDS = 15 * 60
TRIES_PER_NAME = 8
TRIES_PER_ADDRESS = 60


def allow_try(*, name: str, address: str) -> bool:
    """Count a try for this name from this address, and say whether it may go on.

    Counted before the password is looked at, so that many tries at once get no further than many in a row. The
    name counts only together with the address: nobody can lock someone else out from elsewhere.
    """
    by_address = _count(_key("address", address))
    by_name = _count(_key("name", name.casefold(), address))
    return by_name <= TRIES_PER_NAME and by_address <= TRIES_PER_ADDRESS


def forget_tries(*, name: str, address: str) -> None:
    """After a right password the name starts anew; the address keeps its count, or one right guess would reset it."""
    cache.delete(_key("name", name.casefold(), address))


def _count(key: str) -> int:
    cache.add(key, 0, timeout=WINDOW_SECONDS)
    try:
        return cache.incr(key)
    except ValueError:  # it expired between the two lines
        cache.set(key, 1, timeout=WINDOW_SECONDS)
        return 1


def _key(*parts: str) -> str:
    # Names may hold anything and be long; a digest is always a fine key.
    return "sign-in:" + hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()
