from __future__ import annotations

from django.urls import path

from apps.annotation import views

app_name = "annotation"
urlpatterns = [
    path("label/", views.next_item, name="next"),
    path("label/<int:round_id>/", views.desk_page, name="desk"),
    # The desk's script is answered by hot.py before it comes here; this is for everybody and everything else.
    path("label/<int:round_id>/submit/", views.submit, name="submit"),
    path("label/<int:round_id>/skip/", views.skip, name="skip"),
    path("label/<int:round_id>/flag/", views.flag, name="flag"),
    path("rounds/", views.rounds, name="rounds"),
    path("rounds/new/", views.new_round, name="new_round"),
    path("rounds/<int:round_id>/", views.round_page, name="round"),
    path("rounds/<int:round_id>/status/", views.set_status, name="set_status"),
    path("rounds/<int:round_id>/flags/<int:flag_id>/resolve/", views.resolve_flag, name="resolve_flag"),
]
