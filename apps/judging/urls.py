from __future__ import annotations

from django.urls import path

from apps.judging import views

app_name = "judging"
urlpatterns = [
    path("judges/", views.judges, name="judges"),
    path("judges/<int:judge_id>/", views.judge, name="judge"),
    path("judges/<int:judge_id>/archive/", views.archive, name="archive"),
    path("judges/<int:judge_id>/restore/", views.restore, name="restore"),
    path("runs/", views.runs, name="runs"),
    path("runs/new/", views.new_run, name="new_run"),
    path("runs/<int:number>/", views.run, name="run"),
    path("runs/<int:number>/pause/", views.pause, name="pause"),
    path("runs/<int:number>/resume/", views.resume, name="resume"),
    path("runs/<int:number>/stop/", views.stop, name="stop"),
    path("runs/<int:number>/retry/", views.retry, name="retry"),
]
