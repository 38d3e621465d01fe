from __future__ import annotations

from django.urls import URLPattern, path

from apps.judging import consumers

websocket_urlpatterns: list[URLPattern] = [
    path("ws/p/<slug:slug>/runs/<int:number>/", consumers.RunConsumer.as_asgi()),  # type: ignore[arg-type]
]
