"""One's own settings: name, language, theme, time zone, keys."""

from __future__ import annotations

import json
import zoneinfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import keys, services
from apps.accounts.forms import AccountForm, KeysForm
from apps.accounts.models import User
from apps.core.http import AuthedRequest
from apps.core.preferences import THEMES


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: AuthedRequest) -> HttpResponse:
    status = 200
    # A copy, so that a form with an error does not show its values in the frame as if they were saved.
    form = AccountForm(request.POST or None, instance=User.objects.get(pk=request.user.pk))
    if request.method == "POST":
        if form.is_valid():
            services.change_own_settings(user=request.user, **form.cleaned_data)
            with translation.override(request.user.language or translation.get_language_from_request(request)):
                messages.success(request, _("Your settings are saved."))
            return redirect("home:account")
        status = 422
    zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    context = {"form": form, "zones": ["UTC", *zones], "own_keys": len(request.user.keys)}
    return render(request, "home/account.html", context, status=status)


@login_required
@require_POST
def theme(request: AuthedRequest) -> HttpResponse:
    """The switch in the frame. With `next` (sent where no script runs) it goes back to the page it stood on."""
    chosen = request.POST.get("theme", "")
    if chosen not in ("", *THEMES):
        return HttpResponse(status=422)
    services.set_theme(user=request.user, theme=chosen)
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):  # a path on this server, nothing else
        return redirect(back)
    return HttpResponse(status=204)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_keys(request: AuthedRequest) -> HttpResponse:
    user = request.user
    own = {name: code for name, code in user.keys.items() if name in keys.BY_NAME}
    form = KeysForm(request.POST or None, own=own)
    status = 200
    if request.method == "POST":
        if "reset" in request.POST:
            services.change_keys(user=user, keys={})
            messages.success(request, _("Your keys are the same as everyone’s again."))
            return redirect("home:keys")
        if form.is_valid():
            services.change_keys(user=user, keys=form.own)
            messages.success(request, _("Your keys are saved."))
            return redirect("home:keys")
        status = 422
    rows = [(form[action.name], [keys.shown(code) for code in action.codes]) for action in keys.ACTIONS]
    context = {"form": form, "rows": rows, "own": own, "every_key": json.dumps(keys.every_key())}
    return render(request, "home/keys.html", context, status=status)
