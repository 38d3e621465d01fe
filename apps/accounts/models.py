"""Users, their personal settings, and one-time sign-in links."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """Someone who can sign in. Roles belong to a project's membership; `is_superuser` administers the whole server."""

    class Theme(models.TextChoices):
        SYSTEM = "", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    display_name = models.CharField(_("name shown to others"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=10, blank=True, choices=[("", _("As the browser")), *settings.LANGUAGES]
    )
    theme = models.CharField(_("theme"), max_length=5, blank=True, choices=Theme, default=Theme.SYSTEM)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    #: action → physical key code, only where it differs from the list of keys everyone starts with
    keys = models.JSONField(_("keys"), default=dict, blank=True)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(theme__in=["", "light", "dark"]), name="user_theme_known"),
            # Nobody is told apart from "Anna" by a small letter alone.
            models.UniqueConstraint(Lower("username"), name="user_name_once_in_any_case"),
        ]

    @property
    def shown_name(self) -> str:
        return self.display_name or self.get_full_name() or self.username


class SignInLink(models.Model):
    """A link that signs one user in once. Only the digest is kept, so a copy of the table opens nothing."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="sign_in_link_expires_later"),
        ]
