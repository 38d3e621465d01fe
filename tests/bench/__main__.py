"""`python -m tests.bench [NAME…]`: run the benchmarks, all or those named, one after the other, each on fresh servers.

Every figure is a ratio against a floor or a peer in the same run; nothing fails by being slow on a busy machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def names() -> list[str]:
    return sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> int:
    wanted = sys.argv[1:] or names()
    if unknown := [name for name in wanted if name not in names()]:
        print(f"No such benchmark: {', '.join(unknown)}. There are: {', '.join(names())}.", file=sys.stderr)
        return 2
    failed = []
    for name in wanted:
        print(f"\n== {name} (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)", flush=True)
        if subprocess.call([sys.executable, "-m", f"tests.bench.bench_{name}"]) != 0:
            failed.append(name)
    if failed:
        print(f"\nDid not finish: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
