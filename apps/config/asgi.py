"""What uvicorn serves: the hot endpoint, the pages, the live sockets."""

from __future__ import annotations

import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apps.config.settings")

import django

django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from apps.annotation.hot import HotEndpoint
from apps.core.onehop import OneHopHandler
from apps.judging.routing import websocket_urlpatterns

sockets = URLRouter(cast("list[Any]", websocket_urlpatterns))
application = ProtocolTypeRouter(
    {
        # "submit and next" is answered before the middleware chain; everything else goes on to it.
        "http": HotEndpoint(OneHopHandler()),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets)),
    }
)
