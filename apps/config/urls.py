"""Every page's address. A project's pages live under /p/SLUG/."""

from __future__ import annotations

from django.urls import include, path

handler400 = "apps.core.views.bad_request"
handler500 = "apps.core.views.server_error"

urlpatterns = [
    path("", include("apps.home.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.projects.urls")),
    path("p/<slug:slug>/", include("apps.datasets.urls")),
    path("p/<slug:slug>/", include("apps.rubrics.urls")),
    path("p/<slug:slug>/", include("apps.annotation.urls")),
    path("p/<slug:slug>/", include("apps.judging.urls")),
    path("p/<slug:slug>/", include("apps.analytics.urls")),
    path("p/<slug:slug>/", include("apps.imports.urls")),
    path("p/<slug:slug>/", include("apps.exports.urls")),
]
