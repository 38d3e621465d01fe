"""The live run page: fragments of HTML that htmx puts in place, read from the database each time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import zoneinfo
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone, translation
from redis.exceptions import RedisError

from apps.accounts.models import User
from apps.judging import live, page, selectors

log = logging.getLogger(__name__)

#: close codes: htmx connects again after the second, not after the first
GONE, TRY_AGAIN = 4404, 1013


class RunConsumer(AsyncWebsocketConsumer):
    """Sends the parts of a run's page that changed, twice a second at most, and looks by itself if nobody nudges.

    What was sent is remembered for this one connection: whoever connects again gets everything. The right to see the
    run is checked at every look, so that it ends with the role.
    """

    #: seconds between two looks: when nothing happens, after something did (nudges are thinned out), and at least
    EVERY, SOON, APART = 5.0, 1.0, 0.5

    async def connect(self) -> None:
        """Accept first: a refused handshake has no code, and htmx would try again for ever."""
        self._changed = asyncio.Event()
        self._sent: dict[str, str] = {}
        self._group = ""
        await self.accept()
        self._pushing = asyncio.create_task(self._push())

    async def disconnect(self, code: int) -> None:
        """Forget the page."""
        self._pushing.cancel()
        if self._group:
            with contextlib.suppress(RedisError, OSError):
                await self.channel_layer.group_discard(self._group, self.channel_name)

    async def run_changed(self, event: dict[str, Any]) -> None:
        """A nudge from `live.announce`."""
        self._changed.set()

    async def _push(self) -> None:
        patience = self.APART  # the first look came before the first nudge could
        try:
            while (found := await self._look()) is not None:
                run_id, parts = found
                await self._listen(run_id)
                fresh = {name: html for name, html in parts.items() if self._sent.get(name) != html}
                if fresh:
                    await self.send(text_data="".join(fresh.values()))
                    self._sent |= fresh
                await asyncio.sleep(self.APART)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), patience - self.APART)
                patience = self.SOON if self._changed.is_set() else self.EVERY
                self._changed.clear()
            await self.close(code=GONE)
        except OSError:
            return  # the page went away while we were writing to it
        except DatabaseError as error:
            log.warning("a live page was closed, the database did not answer: %s", error)
            await self.close(code=TRY_AGAIN)
        except Exception:  # it would die unseen with its task, and the page would stand still
            log.exception("a live page was closed")
            await self.close(code=TRY_AGAIN)

    async def _listen(self, run_id: int) -> None:
        """Join the run's group; again after the broker forgot it, which costs nothing where it did not."""
        self._group = live.group_of(run_id)
        with contextlib.suppress(RedisError, OSError):  # without nudges the page looks every few seconds
            await self.channel_layer.group_add(self._group, self.channel_name)

    async def _look(self) -> tuple[int, dict[str, str]] | None:
        found: tuple[int, dict[str, str]] | None = await database_sync_to_async(self._read)()
        return found

    def _read(self) -> tuple[int, dict[str, str]] | None:
        """The run's id and the parts of its page, in the reader's language; None for whom it does not exist."""
        user: object = self.scope["user"]
        place = self.scope["url_route"]["kwargs"]
        if not isinstance(user, User):
            return None
        run = selectors.run_for_lead(user_id=user.pk, slug=place["slug"], number=place["number"])
        if run is None:
            return None
        only = page.status_named(parse_qs(self.scope["query_string"].decode("latin-1")).get("status", [""])[0])
        with translation.override(self._language(user)), timezone.override(_zone(user)):
            return run.pk, page.fragments(run, only=only, swap=True)

    def _language(self, user: User) -> str:
        """The person's language, or the browser's as on any page."""
        if user.language in dict(settings.LANGUAGES):
            return user.language
        request = HttpRequest()
        request.COOKIES = self.scope.get("cookies", {})
        headers = {name: value.decode("latin-1") for name, value in self.scope["headers"]}
        request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", "")
        return translation.get_language_from_request(request)


def _zone(user: User) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(user.time_zone or settings.TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):  # a zone that this machine no longer knows
        return zoneinfo.ZoneInfo(settings.TIME_ZONE)
