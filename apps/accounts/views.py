"""Signing in, by password or by link, signing out, and the password page."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import selectors, services, throttle
from apps.accounts.forms import PasswordForm, SignInForm
from apps.accounts.models import User
from apps.core.http import AuthedRequest

BACKEND = "django.contrib.auth.backends.ModelBackend"
#: for so long after signing in by a link, the password can be set without the old one
LINK_FRESH_SECONDS = 15 * 60
_CAME_BY_LINK = "came_by_link_at"

View = Callable[..., HttpResponse]


def secret_address(view: View) -> View:
    """For a page whose address is a secret: never kept, and sent to nobody as a referrer.

    `strict-origin` and not `no-referrer`: with the latter a browser posts the page's form with `Origin: null`, which
    the check against forged requests rightly refuses. Neither tells anybody the path.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Referrer-Policy"] = "strict-origin"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return never_cache(wrapped)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(_next(request))
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            name, address = form.cleaned_data["username"], client_address(request)
            if not throttle.allow_try(name=name, address=address):
                status = 429
                form.add_error(
                    None, _("Too many tries. Wait a quarter of an hour, or ask a lead of your project for a link.")
                )
            else:
                user = authenticate(request, username=name, password=form.cleaned_data["password"])
                if user is not None:
                    throttle.forget_tries(name=name, address=address)
                    login(request, user)
                    return redirect(_next(request))
                # The same words for an unknown name, a wrong password, and an account that is closed or has none.
                form.add_error(None, _("User name and password do not go together. Check both and try again."))
    return render(request, "accounts/sign_in.html", {"form": form, "next": request.GET.get("next", "")}, status=status)


@secret_address
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """A one-time link. GET burns nothing, since mail programs and chats look at links before people do."""
    if request.method == "POST":
        try:
            user = services.use_login_link(token=token)
        except services.LinkClosed:
            return render(request, "accounts/link_closed.html", status=410)
        sign_in_by_link(request, user)
        return redirect("home:start")
    found = selectors.open_link(token)
    if found is None:
        return render(request, "accounts/link_closed.html", status=410)
    return render(request, "accounts/link.html", {"link": found})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.success(request, _("You are signed out."))
    return redirect("accounts:sign_in")


@never_cache
@login_required
@sensitive_post_parameters()
def password(request: AuthedRequest) -> HttpResponse:
    user = request.user
    ask_current = user.has_usable_password() and not came_by_link(request)
    status = 200
    form = PasswordForm(request.POST or None, user=user, ask_current=ask_current)
    if request.method == "POST":
        name, address = f"own password of {user.pk}", client_address(request)
        if ask_current and not throttle.allow_try(name=name, address=address):
            form = PasswordForm(user=user, ask_current=ask_current)
            return render(request, "accounts/password.html", {"form": form, "too_many": True}, status=429)
        if form.is_valid():
            throttle.forget_tries(name=name, address=address)
            services.set_password(user=user, password=form.cleaned_data["new"])
            update_session_auth_hash(request, user)  # this session goes on; all others end, as their hash is old
            request.session.pop(_CAME_BY_LINK, None)
            messages.success(request, _("Your password is set. You are signed out everywhere else."))
            return redirect("home:account")
        status = 422
    return render(request, "accounts/password.html", {"form": form}, status=status)


def sign_in_by_link(request: HttpRequest, user: User) -> None:
    """Open a session for someone who holds a one-time link, whoever was signed in before."""
    if request.user.is_authenticated and request.user != user:
        logout(request)
    login(request, user, backend=BACKEND)
    request.session[_CAME_BY_LINK] = time.time()


def came_by_link(request: HttpRequest) -> bool:
    """Whether this session was opened by a link a moment ago: who has that link needs no old password."""
    at = request.session.get(_CAME_BY_LINK, 0)
    return bool(time.time() - at < LINK_FRESH_SECONDS)


def client_address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _next(request: HttpRequest) -> str:
    """Where to go after signing in: `next` if it is a page of this server, else the start page."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return resolve_url("home:start")
