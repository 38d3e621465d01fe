"""A load client for annotation tools: annotators without think time, what they were promised, what it cost.

A peer is a class with `login`, `next`, `submit` and `stored`; the loop and its httpx client are the same for each.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import psutil

LABELS = ("A", "B", "tie")


class Peer(Protocol):
    name: str

    async def login(self, annotator: int) -> Any:
        """A session of that annotator."""

    async def next(self, session: Any) -> str | None:
        """The next item's id; None when there is none."""

    async def submit(self, session: Any, item: str, label: str) -> None:
        """Store one label; raises when the answer is not a success."""

    async def stored(self) -> list[tuple[str, str]]:
        """(item, annotator) of every stored label."""


def client(base: str, **options: Any) -> httpx.AsyncClient:
    """What every peer is asked with."""
    limits = httpx.Limits(max_connections=4, max_keepalive_connections=4)
    return httpx.AsyncClient(
        base_url=base, timeout=120, trust_env=False, follow_redirects=True, limits=limits, **options
    )


def label_for(item: str, annotator: int) -> str:
    return LABELS[hashlib.sha256(f"{item}|{annotator}".encode()).digest()[0] % 3]


@dataclass
class Load:
    """What happened in one run of the loop."""

    annotators: int
    seconds: float = 0.0
    cycles: list[float] = field(default_factory=list)  # from "next" to the answer of "submit"
    errors: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    doubled: int = 0
    server_cpu: float = 0.0
    client_cpu: float = 0.0
    other_cores: float = 0.0

    @property
    def acknowledged(self) -> int:
        return len(self.cycles)

    @property
    def rate(self) -> float:
        return self.acknowledged / self.seconds

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.server_cpu / max(1, self.acknowledged)

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.cycles) or [float("nan")]
        return 1000 * ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]

    def line(self, name: str) -> str:
        lost = self.acknowledged - self.stored
        return (
            f"{name:<34} {self.annotators:>3}  {self.rate:>8.1f}"
            f"  {self.percentile(0.5):>8.1f} {self.percentile(0.95):>8.1f}  {self.cpu_ms:>8.2f}"
            f"  {lost:>5} {self.doubled:>7} {sum(self.errors.values()):>6}  {self.other_cores:>6.2f}"
        )


HEAD = (
    f"{'':<34} {'n':>3}  {'labels/s':>8}  {'p50 ms':>8} {'p95 ms':>8}  {'CPU ms':>8}"
    f"  {'lost':>5} {'doubled':>7} {'errors':>6}  {'others':>6}"
)


async def run(peer: Peer, *, annotators: int, seconds: float, pids: Sequence[int]) -> Load:
    """So many annotators label for so long; the CPU is that of the processes `pids` and their children."""
    load = Load(annotators)
    sessions = [await peer.login(annotator) for annotator in range(annotators)]
    before = len(await peer.stored())
    meter = Meter(pids)
    begin = time.monotonic()
    await asyncio.gather(
        *(_annotate(peer, session, number, begin + seconds, load) for number, session in enumerate(sessions))
    )
    load.seconds = time.monotonic() - begin
    load.server_cpu, load.client_cpu, load.other_cores = meter.read()
    after = await peer.stored()
    load.stored = len(after) - before
    load.doubled = len(after) - len(set(after))
    for session in sessions:
        await session.aclose()
    return load


async def _annotate(peer: Peer, session: Any, annotator: int, until: float, load: Load) -> None:
    failures = 0
    while time.monotonic() < until and failures < 200:
        begin = time.monotonic()
        try:
            item = await peer.next(session)
            if item is None:
                return
            await peer.submit(session, item, label_for(item, annotator))
        except (httpx.HTTPError, RuntimeError) as error:  # counted, never hidden
            load.errors[f"{type(error).__name__} {str(error)[:60]}"] += 1
            failures += 1
            await asyncio.sleep(0.05)
            continue
        load.cycles.append(time.monotonic() - begin)


class Meter:
    """CPU seconds of servers and of this process, and how many cores everybody else used."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.pids = pids
        self.begin = self._look()

    def read(self) -> tuple[float, float, float]:
        now = self._look()
        wall, busy, servers, own = (now[at] - self.begin[at] for at in range(4))
        return servers, own, max(0.0, busy - servers - own) / wall

    def _look(self) -> tuple[float, float, float, float]:
        machine = psutil.cpu_times()
        busy = machine.user + machine.nice + machine.system + machine.irq + machine.softirq
        own = os.times()
        return time.monotonic(), busy, tree_cpu(self.pids), own.user + own.system


def tree_cpu(pids: Sequence[int]) -> float:
    """CPU seconds of the processes, their children, and those of these that have ended."""
    seen: dict[int, float] = {}
    for pid in pids:
        try:
            parent = psutil.Process(pid)
            for process in (parent, *parent.children(recursive=True)):
                used = process.cpu_times()
                seen[process.pid] = used.user + used.system + used.children_user + used.children_system
        except psutil.Error:
            continue
    return sum(seen.values())
