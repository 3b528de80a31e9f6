"""Makes the shipped excerpt of Vidur's operator profiles: ``python -m evaluators.opscale.excerpt FOLDER``.

FOLDER holds Vidur's ``mlp.csv`` files under the names of ``_FILES`` (MIT licence, Microsoft).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from evaluators.opscale.profiles import EXCERPT, VIDUR_OPERATORS, read_vidur

_FILES = {
    "llama3-8b": "vidur_mlp_a100_Meta-Llama-3-8B.csv",
    "llama3-70b": "vidur_mlp_a100_Meta-Llama-3-70B.csv",
}
_CHECK_EVERY = 6


def _knots() -> set[int]:
    """Dense where tiles make steps, thinner above."""
    out = {1, 2, 4, 8, 136, 264, 392, 520}
    for low, high, step in (
        (16, 513, 16),
        (544, 1089, 64),
        (1152, 2049, 128),
        (2304, 4097, 256),
        (4608, 8193, 512),
    ):
        out |= set(range(low, high, step))
    return out


def main(folder: str) -> None:
    """Write the excerpt: knots (``use`` = 1), and every sixth of the other points to check them by (0)."""
    knots = _knots()
    with EXCERPT.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["model", "tp", "tokens", "use", *(f"{name}_us" for name in VIDUR_OPERATORS)])
        for model, name in _FILES.items():
            for tp, table in read_vidur(Path(folder) / name).items():
                other = 0
                for tokens, row in zip(table.tokens.tolist(), table.seconds.T, strict=True):
                    if tokens > 8192:
                        continue
                    other += tokens not in knots
                    if tokens in knots or other % _CHECK_EVERY == 0:
                        times = [f"{1e6 * t:.5g}" for t in row]
                        out.writerow([model, tp, int(tokens), int(tokens in knots), *times])


if __name__ == "__main__":
    main(sys.argv[1])
