from __future__ import annotations

from django.urls import path

from apps.projects import views

app_name = "projects"
urlpatterns = [path("invite/<slug:token>/", views.invitation, name="invitation")]
