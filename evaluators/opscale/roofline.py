"""Times of operators by formula: a roofline with fitted efficiencies, for any shape, GPU, SM share and TP degree.

All times are seconds of one layer. ``share`` is the part of a GPU's SMs that the operator has, in (0, 1].
"""

from __future__ import annotations

import numpy as np

from evaluators.opscale.hardware import ALL_REDUCE, ALL_REDUCE_LINK, BANDWIDTH_SHARE, Gpu
from evaluators.opscale.models import BF16, Model

_TILE = 128.0
_ROWS = 64.0  # tokens are computed in blocks of so many


def _bandwidth(gpu: Gpu, share: float) -> float:
    return gpu.bandwidth * min(1.0, share / BANDWIDTH_SHARE)


def gemm(gpu: Gpu, tokens: np.ndarray, rows: float, columns: float, share: float = 1.0) -> np.ndarray:
    """A linear layer ``tokens x rows -> tokens x columns``."""
    fit = gpu.gemm
    tokens = np.asarray(tokens, dtype=np.float64)
    padded = np.ceil(tokens / _ROWS) * _ROWS
    tiles = np.maximum(1.0, np.ceil(padded / _TILE) * np.ceil(columns / _TILE))
    compute = 2 * padded * rows * columns / (fit.compute * gpu.flops * share) * (1 + fit.ragged / tiles)
    moved = BF16 * (rows * columns + tokens * (rows + columns))
    memory = moved / (fit.memory * _bandwidth(gpu, share))
    return np.asarray(fit.fixed + (compute**fit.blend + memory**fit.blend) ** (1 / fit.blend))


def elementwise(gpu: Gpu, tokens: np.ndarray, numbers: float, share: float = 1.0) -> np.ndarray:
    """Norms, rotary embedding, activation, residual: ``numbers`` are read or written for each token."""
    moved = BF16 * np.asarray(tokens, dtype=np.float64) * numbers
    return np.asarray(_ELEMENT_FIXED + moved / (_ELEMENT_MEMORY * _bandwidth(gpu, share)))


# Vidur's A100 tables: 0.39 (norm) to 1.0 (add, partly cached); 1.6 to 2.7 us.
_ELEMENT_MEMORY, _ELEMENT_FIXED = 0.47, 2.2e-6


def experts(gpu: Gpu, model: Model, tokens: np.ndarray, tp: int, share: float = 1.0) -> np.ndarray:
    """The routed experts of an MoE layer; weights are read of the experts that are touched."""
    fit = gpu.moe
    tokens = np.asarray(tokens, dtype=np.float64)
    width = model.expert / tp
    touched = model.experts * (1 - (1 - model.active / model.experts) ** (tokens * fit.skew))
    padded = tokens * model.active + touched * fit.tile
    compute = 6 * padded * model.hidden * width / (fit.compute * gpu.flops * share)
    memory = BF16 * 3 * model.hidden * width * touched / (fit.memory * _bandwidth(gpu, share))
    return np.asarray(fit.fixed + (compute**fit.blend + memory**fit.blend) ** (1 / fit.blend))


def prefill_attention(gpu: Gpu, model: Model, length: np.ndarray, tp: int, share: float = 1.0) -> np.ndarray:
    """Causal attention of one request over its whole prompt."""
    fit = gpu.attention
    length = np.asarray(length, dtype=np.float64)
    flops = 2 * length * (length + fit.knee) * model.q / tp
    return np.asarray(fit.fixed + flops / (fit.compute * gpu.flops * share))


def decode_attention(
    gpu: Gpu, model: Model, sequences: np.ndarray, context: np.ndarray, tp: int, share: float = 1.0
) -> np.ndarray:
    """Attention of one new token of each sequence; ``context`` is the sum of their lengths."""
    fit = gpu.attention
    moved = 2 * BF16 * np.asarray(context, dtype=np.float64) * model.kv / tp
    read = moved / (fit.memory * _bandwidth(gpu, share))
    return np.asarray(fit.decode_fixed + read + np.asarray(sequences) * fit.each / tp)


def all_reduce(gpu: Gpu, moved: np.ndarray, tp: int) -> np.ndarray:
    """Sum of ``moved`` bytes over ``tp`` GPUs of a node (0 for one)."""
    moved = np.asarray(moved, dtype=np.float64)
    if tp == 1:
        return np.zeros_like(moved)
    size, seconds = np.array(ALL_REDUCE[tp]).T
    base = seconds[0]
    time = np.interp(np.log(np.maximum(moved, size[0])), np.log(size), np.log(seconds))
    time = np.where(moved > size[-1], seconds[-1] * moved / size[-1], np.exp(time))
    return np.asarray(base + np.maximum(0.0, time - base) * ALL_REDUCE_LINK / gpu.link)
