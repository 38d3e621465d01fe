"""Accounts: one-time sign-in links, the first admin, passwords and personal settings."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import SignInLink, User


class LinkClosed(Exception):
    """The link was used, has expired, or never existed: from outside the three look the same."""


def new_token() -> tuple[str, str]:
    """A secret for a link (256 bits), and the digest to keep of it."""
    token = secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    # The token is random and long: a fast hash is as good as a slow one, and can be looked up.
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def create_login_link(*, user: User, hours: float = 24) -> str:
    """The path of a link that signs `user` in once. The token in it is kept nowhere; only its digest is."""
    token, digest = new_token()
    SignInLink.objects.create(user=user, digest=digest, expires_at=timezone.now() + timedelta(hours=hours))
    return reverse("accounts:link", args=[token])


@transaction.atomic
def use_login_link(*, token: str) -> User:
    """Burn the link and return its user; raises LinkClosed, for the second of two posts as well."""
    now = timezone.now()
    digest = digest_of(token)
    # Only the row's own columns in the condition: PostgreSQL checks those again after waiting for another post.
    burnt = SignInLink.objects.filter(digest=digest, used_at=None, expires_at__gt=now).update(used_at=now)
    if not burnt:
        raise LinkClosed
    user = SignInLink.objects.select_related("user").get(digest=digest).user
    if not user.is_active:
        raise LinkClosed
    return user


def ensure_first_admin() -> User:
    """Who administers this server: the first superuser, made as `admin` without a password where there is none."""
    with transaction.atomic():
        existing = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if existing is not None:
            return existing
        name, number = "admin", 1
        while User.objects.filter(username__iexact=name).exists():
            number += 1
            name = f"admin{number}"
        return create_user(username=name, is_superuser=True)


def create_user(
    *,
    username: str,
    display_name: str = "",
    password: str = "",
    language: str = "",
    time_zone: str = "UTC",
    is_superuser: bool = False,
) -> User:
    """A new user; without a password, only links sign them in. Raises IntegrityError where the name is taken."""
    user = User(
        username=User.normalize_username(username),
        display_name=display_name,
        language=language,
        time_zone=time_zone,
        is_superuser=is_superuser,
        is_staff=is_superuser,
    )
    if password:
        user.set_password(password)
    else:
        user.set_unusable_password()
    user.save(force_insert=True)
    return user


def set_password(*, user: User, password: str) -> None:
    """Set the password. Every session of the user ends with it, except the one that the view renews."""
    user.set_password(password)
    user.save(update_fields=["password"])


def set_theme(*, user: User, theme: str) -> None:
    user.theme = theme
    user.save(update_fields=["theme"])


def change_own_settings(*, user: User, display_name: str, language: str, theme: str, time_zone: str) -> None:
    user.display_name, user.language, user.theme, user.time_zone = display_name, language, theme, time_zone
    user.save(update_fields=["display_name", "language", "theme", "time_zone"])


def change_keys(*, user: User, keys: dict[str, str]) -> None:
    """Keep the keys that differ from everyone's; an empty dict brings all of those back."""
    user.keys = keys
    user.save(update_fields=["keys"])


def base_url() -> str:
    """Where people reach this server: JURYBOX_URL, else where the running `up` said it serves."""
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL).rstrip("/")
    try:
        state = json.loads((settings.VAR_DIR / "services.json").read_text())
        address = state["owner"]["address"]
    except (OSError, ValueError, KeyError, TypeError):
        return "http://localhost:8000"
    return str(address).rstrip("/")
