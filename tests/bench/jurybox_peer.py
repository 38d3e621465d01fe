"""Jurybox, asked as its own page asks: one request stores a label and brings the next item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import httpx

from tests.bench.load import client

_LEASE = re.compile(r'name="lease" value="([0-9-]+)"')


class Jurybox:
    name = "Jurybox"

    def __init__(self, base: str, desk: str, field: str, cookies: Sequence[Mapping[str, str]], round_id: int) -> None:
        self.base, self.desk, self.field, self.cookies, self.round_id = base, desk, field, cookies, round_id
        self._held: dict[httpx.AsyncClient, str | None] = {}

    async def login(self, annotator: int) -> httpx.AsyncClient:
        cookies = dict(self.cookies[annotator])
        headers = {"X-Desk": "1", "X-CSRFToken": cookies["csrftoken"]}
        session = client(self.base, cookies=cookies, headers=headers)
        await self._open(session)
        return session

    async def _open(self, session: httpx.AsyncClient) -> None:
        answer = await session.get(self.desk)
        if answer.status_code != 200:
            raise RuntimeError(f"desk {answer.status_code}")
        self._take(session, answer)

    def _take(self, session: httpx.AsyncClient, answer: httpx.Response) -> None:
        lease = _LEASE.search(answer.text)
        self._held[session] = lease[1] if lease else None

    async def next(self, session: httpx.AsyncClient) -> str | None:
        return self._held[session]

    async def submit(self, session: httpx.AsyncClient, item: str, label: str) -> None:
        answer = await session.post(f"{self.desk}submit/", data={"lease": item, self.field: label, "seconds": "3.5"})
        if answer.status_code != 200:
            raise RuntimeError(f"submit {answer.status_code}")
        self._take(session, answer)

    async def stored(self) -> list[tuple[str, str]]:
        from asgiref.sync import sync_to_async

        from apps.annotation.models import Round
        from apps.judgments.models import Judgment

        def read() -> list[tuple[str, str]]:
            round_ = Round.objects.get(pk=self.round_id)
            labels = Judgment.objects.filter(rubric_version=round_.rubric_version_id)
            return [(str(item), str(rater)) for item, rater in labels.values_list("item", "rater")]

        return await sync_to_async(read)()
