from __future__ import annotations

from django.urls import path

from apps.analytics import views

app_name = "analytics"
urlpatterns = [
    path("agreement/", views.agreement, name="agreement"),
    path("agreement/fresh/", views.fresh, name="fresh"),
    path("agreement/pair/", views.pair, name="pair"),
    path("runs/<int:number>/agreement/", views.run, name="run"),
    path("agreement/pairs.csv", views.pairs_csv, name="pairs_csv"),
    path("agreement/figures.csv", views.figures_csv, name="figures_csv"),
]
