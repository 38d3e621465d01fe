from __future__ import annotations

from django.urls import path

from apps.exports import views

app_name = "exports"
urlpatterns = [
    path("exports/", views.index, name="index"),
    path("exports/<int:export_id>/", views.export, name="export"),
    path("exports/<int:export_id>/data.jsonl", views.data, name="data"),
    path("exports/<int:export_id>/manifest.json", views.manifest, name="manifest"),
]
