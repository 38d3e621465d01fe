from __future__ import annotations

from django.urls import path

from apps.datasets import views

app_name = "datasets"
urlpatterns = [
    path("items/", views.items, name="items"),
    path("items/<int:item_id>/", views.item, name="item"),
    path("datasets/", views.index, name="index"),
    path("datasets/<int:dataset_id>/", views.dataset, name="dataset"),
    path("datasets/<int:dataset_id>/archive/", views.archive, name="archive"),
    path("datasets/<int:dataset_id>/restore/", views.restore, name="restore"),
]
