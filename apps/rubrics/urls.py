from __future__ import annotations

from django.urls import path

from apps.rubrics import views

app_name = "rubrics"
urlpatterns = [
    path("rubrics/", views.index, name="index"),
    path("rubrics/new/", views.new, name="new"),
    path("rubrics/check/", views.check, name="check"),
    path("rubrics/<int:rubric_id>/", views.rubric, name="rubric"),
    path("rubrics/<int:rubric_id>/draft/", views.draft, name="draft"),
    path("rubrics/<int:rubric_id>/draft/discard/", views.discard, name="discard"),
    path("rubrics/<int:rubric_id>/versions/<int:number>/", views.version, name="version"),
    path("rubrics/<int:rubric_id>/versions/<int:number>/source/", views.source, name="source"),
]
