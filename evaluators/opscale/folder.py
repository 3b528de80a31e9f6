"""A user's own measured operator times: a folder of tables that take the place of the shipped and the fitted ones.

=====================================================  ==============================================================
``<gpu>_<model>.csv``                                  Vidur's ``mlp.csv``: projections, norms, activation, residual
``<gpu>_prefill_attention.parquet`` (or ``.csv``)      AIConfigurator's ``context_attention_perf``
``<gpu>_decode_attention.parquet`` (or ``.csv``)       AIConfigurator's ``generation_attention_perf``
``<gpu>_experts.parquet`` (or ``.csv``)                AIConfigurator's ``moe_perf``
=====================================================  ==============================================================

What a folder does not cover (another GPU, a shape that was not measured) stays as it is without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from evaluators.base import WorkloadError
from evaluators.opscale.hardware import GPUS
from evaluators.opscale.models import MODELS, Model
from evaluators.opscale.profiles import Table, read_aiconfigurator, read_vidur

#: Numeric columns that a table must have, beside its ``latency``.
_COLUMNS = {
    "prefill_attention": ("batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim"),
    "decode_attention": ("batch_size", "step", "num_heads", "num_key_value_heads", "head_dim"),
    "experts": (
        "num_tokens",
        "hidden_size",
        "inter_size",
        "topk",
        "num_experts",
        "moe_tp_size",
        "moe_ep_size",
    ),
}
#: Decode attention is taken from batches and contexts (steps) like those that are served.
_BATCHES, _STEPS = (16, 256), (511, 16384)


@dataclass(frozen=True)
class Curve:
    """Seconds of one layer by tokens.

    Attributes:
        tokens: float64[n], ascending, n >= 2.
        seconds: float64[n].
    """

    tokens: np.ndarray
    seconds: np.ndarray

    def at(self, tokens: np.ndarray) -> np.ndarray:
        """Interpolated in logarithms; below the first point as there, beyond the last one with the last slope."""
        x, y = np.log(self.tokens), np.log(self.seconds)
        wanted = np.log(np.maximum(np.asarray(tokens, dtype=np.float64), self.tokens[0]))
        slope = (y[-1] - y[-2]) / (x[-1] - x[-2])
        return np.asarray(np.exp(np.interp(wanted, x, y) + slope * np.maximum(0.0, wanted - x[-1])))


@dataclass(frozen=True)
class Profiles:
    """What was measured of one model on one kind of GPU, by TP degree.

    Attributes:
        linear: Vidur's operators.
        prefill: Causal attention of one request.
        decode: Seconds of a layer's decode attention: fixed, for each sequence, for each token of context.
        experts: The routed experts.
    """

    linear: Mapping[int, Table] = field(default_factory=dict)
    prefill: Mapping[int, Curve] = field(default_factory=dict)
    decode: Mapping[int, tuple[float, float, float]] = field(default_factory=dict)
    experts: Mapping[int, Curve] = field(default_factory=dict)


@cache
def read_folder(folder: str) -> Mapping[tuple[str, str], Profiles]:
    """All tables of a folder by model and GPU.

    Raises:
        WorkloadError: It is no folder, holds a file that is no table, or a table that cannot be used.
    """
    linear: dict[tuple[str, str], dict[int, Table]] = {}
    columns: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    for file in _files(folder):
        gpu, _, kind = file.stem.partition("_")
        if gpu in GPUS and kind in MODELS and file.suffix == ".csv":
            linear[kind, gpu] = _positive(file, read_vidur(file))
        elif gpu in GPUS and kind in _COLUMNS and file.suffix in (".csv", ".parquet"):
            columns[kind, gpu] = _checked(file, kind)
        else:
            raise WorkloadError(
                f"{file}: is no profile table; they are named <gpu>_<model>.csv or <gpu>_{{{','.join(_COLUMNS)}}}"
                f".parquet or .csv, with a gpu of {', '.join(GPUS)} and a model of {', '.join(MODELS)}"
            )
    out = {}
    for gpu in GPUS:
        for model in MODELS.values():
            found = Profiles(
                linear.get((model.name, gpu), {}),
                _by_tp(_prefill, model, columns.get(("prefill_attention", gpu))),
                _by_tp(_decode, model, columns.get(("decode_attention", gpu))),
                _by_tp(_experts, model, columns.get(("experts", gpu))),
            )
            if found != Profiles():
                out[model.name, gpu] = found
    if not out:
        raise WorkloadError(f"{folder}: none of its tables has the shape of a model that is known")
    return out


@cache
def content(folder: str) -> str:
    """A hash of the tables of a folder, "" for none."""
    if not folder:
        return ""
    sha = hashlib.sha256()
    for file in _files(folder):
        sha.update(file.name.encode() + b"|" + hashlib.sha256(file.read_bytes()).digest())
    return sha.hexdigest()[:16]


def _files(folder: str) -> list[Path]:
    try:
        files = sorted(f for f in Path(folder).iterdir() if not f.name.startswith((".", "README")))
    except OSError as error:
        raise WorkloadError(f"problem.profiles: {folder}: {error.strerror}") from None
    if not files:
        raise WorkloadError(f"problem.profiles: {folder}: holds no tables")
    return files


def _positive(file: Path, tables: dict[int, Table]) -> dict[int, Table]:
    for tp, table in tables.items():
        if not (np.all(np.isfinite(table.seconds)) and np.all(table.seconds > 0) and table.tokens[0] >= 1):
            raise WorkloadError(f"{file}: times and tokens must be positive, those of TP {tp} are not")
        if len(table.tokens) < 2:
            raise WorkloadError(f"{file}: TP {tp} needs at least two numbers of tokens")
    return tables


def _checked(file: Path, kind: str) -> dict[str, np.ndarray]:
    columns = read_aiconfigurator(file)
    for name in _COLUMNS[kind]:
        if name not in columns:
            raise WorkloadError(f"{file}: has no column {name}")
        if columns[name].dtype.kind not in "iu":
            raise WorkloadError(f"{file}: column {name} must hold whole numbers")
    seconds = columns["latency"]
    if not len(seconds) or not np.all(np.isfinite(seconds)) or np.min(seconds) <= 0:
        raise WorkloadError(f"{file}: has no rows, or a latency that is not positive")
    keep = np.ones(len(seconds), dtype=bool)
    for name, values in columns.items():
        if name.endswith("dtype"):
            keep &= values == "bfloat16"
    return {name: values[keep] for name, values in columns.items()}


def _by_tp(select, model: Model, columns: Mapping[str, np.ndarray] | None):  # type: ignore[no-untyped-def]
    found = {tp: select(model, tp, columns) for tp in (1, 2, 4, 8)} if columns is not None else {}
    return {tp: one for tp, one in found.items() if one is not None}


def _heads(model: Model, tp: int, c: Mapping[str, np.ndarray]) -> np.ndarray:
    keep = (c["num_heads"] == model.heads // tp) & (c["head_dim"] == model.head)
    return np.asarray(keep & (c["num_key_value_heads"] == max(1, model.kv_heads // tp)))


def _prefill(model: Model, tp: int, c: Mapping[str, np.ndarray]) -> Curve | None:
    return _curve(c["isl"], c["latency"], _heads(model, tp, c) & (c["batch_size"] == 1))


def _experts(model: Model, tp: int, c: Mapping[str, np.ndarray]) -> Curve | None:
    keep = (c["moe_tp_size"] == tp) & (c["moe_ep_size"] == 1)
    keep &= (c["hidden_size"] == model.hidden) & (c["inter_size"] == model.expert)
    keep &= (c["topk"] == model.active) & (c["num_experts"] == model.experts)
    return _curve(c["num_tokens"], c["latency"], keep)


def _curve(tokens: np.ndarray, seconds: np.ndarray, keep: np.ndarray) -> Curve | None:
    """Means of equal numbers of tokens (several distributions over experts), None if there are not two of them."""
    known = np.unique(tokens[keep])
    if len(known) < 2:
        return None
    means = [float(seconds[keep & (tokens == one)].mean()) for one in known]
    return Curve(known.astype(np.float64), np.array(means))


def _decode(model: Model, tp: int, c: Mapping[str, np.ndarray]) -> tuple[float, float, float] | None:
    """Least squares of relative errors: the simulator's decode time is linear in sequences and context."""
    keep = _heads(model, tp, c) & (c["batch_size"] >= _BATCHES[0]) & (c["batch_size"] <= _BATCHES[1])
    keep &= (c["step"] >= _STEPS[0]) & (c["step"] < _STEPS[1])
    if keep.sum() < 4:
        return None
    batch, seconds = c["batch_size"][keep].astype(np.float64), c["latency"][keep]
    rows = np.stack([np.ones(len(batch)), batch, batch * (c["step"][keep] + 1.0)], axis=1)
    found = np.linalg.lstsq(rows / seconds[:, None], np.ones(len(batch)), rcond=None)[0]
    fixed, each, token = (max(0.0, float(value)) for value in found)
    return (fixed, each, token) if token > 0 else None
