"""Types of the requests that views get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from apps.accounts.models import User
    from apps.projects.models import Membership


class AuthedRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User
    htmx: HtmxDetails


class MemberRequest(AuthedRequest):
    """A request that `apps.projects.access.project_for` has let in."""

    membership: Membership
