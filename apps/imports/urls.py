from __future__ import annotations

from django.urls import path

from apps.imports import views

app_name = "imports"
urlpatterns = [
    path("import/", views.index, name="index"),
    path("import/items/", views.items, name="items"),
    path("import/judgments/", views.judgments, name="judgments"),
    path("import/<int:import_id>/", views.report, name="report"),
    path("import/<int:import_id>/problems.csv", views.problems, name="problems"),
]
