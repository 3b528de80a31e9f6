"""Measured operator times: the shipped excerpt and readers of a user's own tables."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from evaluators.base import WorkloadError

#: Medians on an A100 of Vidur's profiles (github.com/microsoft/vidur, MIT); ``data/README.md``.
EXCERPT = Path(__file__).parent / "data" / "vidur_a100_mlp.csv"
#: Columns of a table: Vidur's names.
VIDUR_OPERATORS = (
    "input_layernorm",
    "attn_pre_proj",
    "attn_rope",
    "attn_post_proj",
    "post_attention_layernorm",
    "mlp_up_proj",
    "mlp_act",
    "mlp_down_proj",
    "add",
)


@dataclass(frozen=True)
class Table:
    """Times of one layer's operators by number of tokens, for one TP degree.

    Attributes:
        tokens: float64[n], ascending.
        seconds: float64[operators, n], in the order of :data:`VIDUR_OPERATORS`.
    """

    tokens: np.ndarray
    seconds: np.ndarray

    def time(self, operator: str, tokens: np.ndarray) -> np.ndarray:
        """Interpolated; beyond the last point in proportion to the last slope."""
        column = self.seconds[VIDUR_OPERATORS.index(operator)]
        tokens = np.asarray(tokens, dtype=np.float64)
        inside = np.interp(tokens, self.tokens, column)
        half = (len(self.tokens) - 1) // 2
        slope = (column[-1] - column[half]) / max(1.0, self.tokens[-1] - self.tokens[half])
        return np.asarray(inside + slope * np.maximum(0.0, tokens - self.tokens[-1]))


@cache
def shipped(use: int = 1) -> dict[tuple[str, int], Table]:
    """The excerpt by model and TP degree: its knots, or with ``use=0`` the points that check them."""
    rows: dict[tuple[str, int], list[list[float]]] = {}
    with EXCERPT.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if int(row["use"]) == use:
                key = (row["model"], int(row["tp"]))
                times = [1e-6 * float(row[f"{name}_us"]) for name in VIDUR_OPERATORS]
                rows.setdefault(key, []).append([float(row["tokens"]), *times])
    return {key: _table(values) for key, values in rows.items()}


def read_vidur(path: str | Path) -> dict[int, Table]:
    """Tables by TP degree of one of Vidur's ``mlp.csv`` files (milliseconds, medians).

    Raises:
        WorkloadError: The file cannot be read or lacks a column.
    """
    rows: dict[int, list[list[float]]] = {}
    try:
        with open(path, encoding="utf-8") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                try:
                    cells = [row[f"time_stats.{name}.median"] for name in VIDUR_OPERATORS]
                    # Models without a second norm leave its column empty: it is the first one again.
                    times = [1e-3 * float(cell or cells[0]) for cell in cells]
                    tp = int(row["num_tensor_parallel_workers"])
                    rows.setdefault(tp, []).append([float(row["num_tokens"]), *times])
                except (KeyError, ValueError) as error:
                    raise WorkloadError(
                        f"{path}, line {number}: not a row of Vidur's mlp.csv ({error})"
                    ) from None
    except OSError as error:
        raise WorkloadError(f"{path}: {error.strerror}") from None
    if not rows:
        raise WorkloadError(f"{path}: no rows")
    return {tp: _table(values) for tp, values in sorted(rows.items())}


def read_aiconfigurator(path: str | Path) -> dict[str, np.ndarray]:
    """Columns of one of AIConfigurator's ``*_perf.parquet`` (or csv) files; ``latency`` is turned into seconds.

    Raises:
        WorkloadError: The file cannot be read or has no ``latency``.
    """
    from pyarrow import ArrowException, csv, parquet  # slow to import, and only needed here

    try:
        table = csv.read_csv(path) if str(path).endswith(".csv") else parquet.read_table(path)
        columns = {name: np.array(table[name].to_pylist()) for name in table.column_names}
        columns["latency"] = 1e-3 * columns["latency"].astype(np.float64)
    except (OSError, ArrowException, KeyError, ValueError) as error:
        raise WorkloadError(f"{path}: not an AIConfigurator table ({error})") from None
    for name, values in columns.items():
        if values.dtype.kind == "U" and all(value.isdigit() for value in values[:1]):
            columns[name] = values.astype(np.int64)
    return columns


def _table(rows: list[list[float]]) -> Table:
    ordered = np.array(sorted(rows))
    # A point that was measured twice counts once, the last time.
    keep = np.append(np.diff(ordered[:, 0]) > 0, True)
    return Table(ordered[keep, 0], np.ascontiguousarray(ordered[keep, 1:].T))
