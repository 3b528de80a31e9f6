"""Prints what becomes of every hostile program: ``python -m tests.hostile [part of a name]``."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.hostile.corpus import CORPUS
from tests.hostile.runner import run, write_workloads


def main(part: str = "") -> int:
    """Run the cases whose name holds ``part``; 1 if any ended otherwise than expected."""
    with tempfile.TemporaryDirectory() as folder:
        results = asyncio.run(run([c for c in CORPUS if part in c.name], write_workloads(Path(folder))))
    print("problem\tkind\tattempt\texpected\tgot\tseconds\tlimit\tmessage")
    for r in results:
        row = (
            r.case.problem,
            r.case.kind,
            r.case.attempt,
            r.case.expect,
            r.got,
            f"{r.outcome.seconds:.2f}",
            f"{r.limit:g}",
        )
        print("\t".join((*row, " ".join(r.message.split())[:300])))
    counts = Counter(r.got for r in results)
    print(f"{len(results)} programs: " + ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())))
    slowest = max(results, key=lambda r: r.outcome.seconds - r.limit)
    print(
        f"latest end: {slowest.outcome.seconds - slowest.limit:+.2f} s from its limit ({slowest.case.name})"
    )
    return int(any(r.got != r.case.expect for r in results))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
