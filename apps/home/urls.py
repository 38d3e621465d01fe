from __future__ import annotations

from django.urls import path

from apps.home.views import account, project, start, team

app_name = "home"
urlpatterns = [
    path("", start.start, name="start"),
    path("projects/new/", start.new, name="new"),
    path("account/", account.account, name="account"),
    path("account/theme/", account.theme, name="theme"),
    path("account/keys/", account.own_keys, name="keys"),
    path("p/<slug:slug>/", project.overview, name="project"),
    path("p/<slug:slug>/settings/", project.settings, name="settings"),
    path("p/<slug:slug>/settings/archive/", project.archive, name="archive"),
    path("p/<slug:slug>/team/", team.team, name="team"),
    path("p/<slug:slug>/team/invite/", team.invite, name="invite"),
    path("p/<slug:slug>/team/invitations/<int:invitation_id>/revoke/", team.revoke, name="revoke"),
    path("p/<slug:slug>/team/<int:membership_id>/role/", team.role, name="role"),
    path("p/<slug:slug>/team/<int:membership_id>/remove/", team.remove, name="remove"),
]
