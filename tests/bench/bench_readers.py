"""How fast the readers check items and judgments, beside a plain orjson loop over the same lines in the same run.

python -m tests.bench.bench_readers [--items 100000] [--judgments 300000]
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from apps.datasets.formats.items_jsonl import read_items
from apps.datasets.formats.judgments_jsonl import read_judgments
from apps.datasets.formats.records import Problem


def item_lines(count: int) -> Iterator[bytes]:
    """Pair items of about 2 KB, in blocks of lines."""
    text = 'A useful answer names the cause, shows the "fix": and says how to check it.\n' * 11
    block = []
    for number in range(count):
        row = {
            "id": f"item-{number}",
            "instruction": f"Question {number}: why does the build fail after the update? " * 3,
            "reference": "Clear the cache.",
            "scenario": "support",
            "responses": [{"system": "alpha", "text": text}, {"system": "beta", "text": text[::-1]}],
            "meta": {"source": "made up", "row": number},
        }
        block.append(json.dumps(row).encode())
        if len(block) == 500:
            yield b"\n".join(block) + b"\n"
            block = []
    if block:
        yield b"\n".join(block) + b"\n"


def judgment_lines(count: int) -> Iterator[bytes]:
    block = []
    for number in range(count):
        row = {
            "item": f"item-{number // 3}",
            "rater": f"rater-{number % 3}",
            "kind": "human",
            "verdict": ("A", "tie", "B")[number % 3],
            "seconds": 12.5,
            "at": "2025-03-14T09:26:53+00:00",
        }
        block.append(json.dumps(row).encode())
        if len(block) == 5000:
            yield b"\n".join(block) + b"\n"
            block = []
    if block:
        yield b"\n".join(block) + b"\n"


def plain(stream: BinaryIO) -> int:
    return sum(1 for line in stream if orjson.loads(line))


def checked(entries: Iterator[object]) -> int:
    count = 0
    for entry in entries:
        if isinstance(entry, Problem):
            raise SystemExit(str(entry))
        count += 1
    return count


def timed(run: Callable[[BinaryIO], int], path: Path) -> tuple[int, float]:
    with path.open("rb") as stream:
        begin = time.process_time()
        count = run(stream)
        return count, time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--judgments", type=int, default=300_000)
    options = parser.parse_args()
    print(f"{'what':<11}{'lines':>9}{'bytes/line':>12}{'orjson':>10}{'checked':>10}{'lines/s':>10}{'of orjson':>11}")
    with tempfile.TemporaryDirectory() as folder:
        for what, blocks, read in (
            ("items", item_lines(options.items), read_items),
            ("judgments", judgment_lines(options.judgments), read_judgments),
        ):
            path = Path(folder) / f"{what}.jsonl"
            with path.open("wb") as file:
                file.writelines(blocks)
            _, parsing = timed(plain, path)
            lines, checking = timed(lambda stream, read=read: checked(read(stream)), path)  # type: ignore[misc]
            print(
                f"{what:<11}{lines:>9,}{path.stat().st_size / lines:>12,.0f}{parsing / lines * 1e6:>7.2f} us"
                f"{checking / lines * 1e6:>7.2f} us{lines / checking:>10,.0f}{parsing / checking:>11.2f}"
            )
            path.unlink()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"CPU time of this process a line, reading the file included; peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
