from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render

from apps.core.http import AuthedRequest


@login_required
def start(request: AuthedRequest) -> HttpResponse:
    return render(request, "home/start.html")


@login_required
def account(request: AuthedRequest) -> HttpResponse:
    return render(request, "home/account.html")
