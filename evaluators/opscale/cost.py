"""What operators cost: seconds, bytes and watts of a model on a GPU, as tables that the simulator's kernels look up.

Linear operators come from measured tables where there are any (``measured``), else from the fitted roofline; attention
and experts from the fitted formulas. What a user's own folder of tables covers comes from there. An operator replica is a slice of a GPU (eighths of its SMs) or several
whole GPUs (tensor parallel); :data:`OPTIONS` numbers these sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from evaluators.opscale import roofline
from evaluators.opscale.folder import Profiles, read_folder
from evaluators.opscale.hardware import BANDWIDTH_SHARE, GB, GPUS, RESERVED, USABLE, Gpu
from evaluators.opscale.models import ATTN, BF16, FFN, GROUPS, MODELS, OPERATORS, OPROJ, QKV, WHOLE, Model
from evaluators.opscale.profiles import Table, shipped

#: Sizes of a replica: (share of a GPU's SMs, TP degree).
OPTIONS = (*((eighths / 8, 1) for eighths in range(1, 9)), (1.0, 2), (1.0, 4), (1.0, 8))
FULL = 7
#: Prefill tables are by blocks of tokens, attention by blocks of a prompt's tokens, decode tables by sequences.
TOKEN_BLOCK, TOKEN_BLOCKS = 16, 512
LENGTH_BLOCK, LENGTH_BLOCKS = 32, 4096
SEQUENCES = 1024
#: Bytes of activations and workspace of an operator replica.
WORKSPACE = 0.5 * GB


@dataclass(frozen=True)
class Costs:
    """Costs of one model on one kind of GPU.

    Attributes:
        model: The model.
        gpu: The GPU.
        tables: Measured times by TP degree; empty to use the roofline alone.
        own: What the user measured.
    """

    model: Model
    gpu: Gpu
    tables: Mapping[int, Table]
    own: Profiles = field(default_factory=Profiles)

    def linear(self, group: int, tokens: np.ndarray, tp: int = 1, share: float = 1.0) -> np.ndarray:
        """Seconds of one layer of QKV, OPROJ or FFN with what belongs to it: norms, activation, residual, all-reduce."""
        table = self.tables.get(tp)
        time = self._formula(group, tokens, tp, share)
        if table is not None and not (group == FFN and self.model.experts):
            measured = sum(table.time(name, tokens) for name in _MEASURED[group])
            if share < 1.0:
                measured = measured * (time / self._formula(group, tokens, tp, 1.0))
            time = np.asarray(measured)
        if group in (OPROJ, FFN) and tp > 1:
            moved = BF16 * self.model.hidden * np.asarray(tokens, dtype=np.float64)
            time = time + roofline.all_reduce(self.gpu, moved, tp)
        return np.asarray(time)

    def _formula(self, group: int, tokens: np.ndarray, tp: int, share: float) -> np.ndarray:
        model, gpu = self.model, self.gpu
        h, q, kv, f = model.hidden, model.q, model.kv, model.ffn

        def gemm(rows: float, columns: float) -> np.ndarray:
            return roofline.gemm(gpu, tokens, rows, columns, share)

        def element(numbers: float) -> np.ndarray:
            return roofline.elementwise(gpu, tokens, numbers, share)

        if group == QKV:
            return np.asarray(element(2 * h) + gemm(h, (q + 2 * kv) / tp) + element(2 * (q + kv) / tp))
        if group == OPROJ:
            return gemm(q / tp, h)
        time = element(2 * h) + element(3 * h)
        if f:
            time = time + gemm(h, 2 * f / tp) + element(3 * f / tp) + gemm(f / tp, h)
        if model.experts:
            time = time + self._experts(tokens, tp, share)
        return np.asarray(time)

    def _experts(self, tokens: np.ndarray, tp: int, share: float) -> np.ndarray:
        fitted = roofline.experts(self.gpu, self.model, tokens, tp, share)
        measured = self.own.experts.get(tp)
        if measured is None:
            return fitted
        whole = roofline.experts(self.gpu, self.model, tokens, tp)
        return np.asarray(measured.at(tokens) * fitted / whole)

    def prefill_attention(self, lengths: np.ndarray, tp: int = 1, share: float = 1.0) -> np.ndarray:
        """Seconds of one layer of causal attention of a request over its whole prompt."""
        fitted = roofline.prefill_attention(self.gpu, self.model, lengths, tp, share)
        measured = self.own.prefill.get(tp)
        if measured is None:
            return fitted
        whole = roofline.prefill_attention(self.gpu, self.model, lengths, tp)
        return np.asarray(measured.at(lengths) * fitted / whole)

    def decode_attention(
        self, sequences: np.ndarray, context: np.ndarray, tp: int = 1, share: float = 1.0
    ) -> np.ndarray:
        """Seconds of one layer of attention of a new token of each sequence; ``context`` sums their lengths."""
        fitted = roofline.decode_attention(self.gpu, self.model, sequences, context, tp, share)
        measured = self.own.decode.get(tp)
        if measured is None:
            return fitted
        fixed, each, token = measured
        slower = roofline.decode_attention(self.gpu, self.model, np.ones(1), np.array([1e6]), tp, share)
        slower = slower / roofline.decode_attention(self.gpu, self.model, np.ones(1), np.array([1e6]), tp)
        return np.asarray(fixed + each * np.asarray(sequences) + token * slower[0] * np.asarray(context))

    def head(self, sequences: np.ndarray, tp: int = 1, share: float = 1.0) -> np.ndarray:
        """Seconds of the LM head, once a pass."""
        return roofline.gemm(self.gpu, sequences, self.model.hidden, self.model.vocabulary / tp, share)

    def prefill(self, lengths: np.ndarray, tp: int = 1) -> float:
        """Seconds of a whole prefill batch on one replica."""
        tokens = np.array([float(np.sum(lengths))])
        layer = sum(float(self.linear(group, tokens, tp)[0]) for group in (QKV, OPROJ, FFN))
        layer += float(np.sum(self.prefill_attention(lengths, tp)))
        return self.model.layers * layer + float(self.head(np.array([float(len(lengths))]), tp)[0])

    def decode(self, sequences: int, context: float, tp: int = 1) -> float:
        """Seconds of one decode iteration on one replica; ``context`` is the mean length."""
        tokens = np.array([float(sequences)])
        layer = sum(float(self.linear(group, tokens, tp)[0]) for group in (QKV, OPROJ, FFN))
        layer += float(self.decode_attention(tokens, tokens * context, tp)[0])
        return self.model.layers * layer + float(self.head(tokens, tp)[0])

    # -- memory

    def room(self, tp: int, share: float = 1.0) -> float:
        """Bytes that weights and KV cache may fill."""
        return tp * share * (USABLE * self.gpu.memory - RESERVED)

    def fits(self, group: int, option: int) -> bool:
        """Whether the weights of a group fit; SMs are sliced, memory is shared by who is on the GPU."""
        tp = OPTIONS[option][1]
        return self.model.weights(group) / tp + WORKSPACE <= self.room(1)

    def kv_tokens(self, group: int, option: int) -> int:
        """Tokens whose KV cache a decode replica of the group holds (0 if the group holds none)."""
        share, tp = OPTIONS[option]
        if group == WHOLE:
            return max(0, int((self.room(tp) - self.model.weights(WHOLE)) / self.model.kv_bytes))
        return int(self.room(tp, share) / self.model.kv_bytes) if group == ATTN else 0

    def held(self, group: int, option: int, decode: bool) -> float:
        """Bytes on each GPU of an operator replica."""
        share, tp = OPTIONS[option]
        if group == ATTN:
            return self.room(1, share) if decode else WORKSPACE + 2 * GB * share
        return self.model.weights(group) / tp + WORKSPACE

    def bandwidth(self, group: int, decode: bool) -> tuple[float, float]:
        """Share of the HBM's bandwidth that a replica with a whole GPU uses, and the share of its time it waits for it.

        Decode is bound by bandwidth throughout; prefill batches of 2048 tokens hardly use it.
        """
        if decode:
            return 0.75, 1.0
        tokens = np.array([2048.0])
        if group == ATTN:
            time = float(self.prefill_attention(tokens)[0])
            moved = 1.0 * BF16 * 2048 * (2 * self.model.q + 2 * self.model.kv)
        else:
            time = float(self.linear(group, tokens)[0])
            moved = self.model.weights(group) / self.model.layers + 8 * BF16 * 2048 * self.model.hidden
        used = min(1.0, moved / (time * self.gpu.bandwidth))
        return used, used


_MEASURED = {
    QKV: ("input_layernorm", "attn_pre_proj", "attn_rope"),
    OPROJ: ("attn_post_proj",),
    FFN: ("post_attention_layernorm", "mlp_up_proj", "mlp_act", "mlp_down_proj", "add"),
}


@cache
def costs(model: str, gpu: str, measured: bool = True, profiles: str = "") -> Costs:
    """Costs of a model by name; with ``measured`` from the shipped tables where there are some.

    Args:
        model: Id of the model.
        gpu: Id of the GPU.
        measured: Whether shipped tables are used.
        profiles: Folder of the user's own tables, which go before the shipped ones; "" for none.

    Raises:
        KeyError: There is no such model or GPU.
        WorkloadError: The folder's tables cannot be used.
    """
    own = read_folder(profiles).get((model, gpu), Profiles()) if profiles else Profiles()
    known = {tp: table for (name, tp), table in shipped().items() if name == model}
    known = known if measured and gpu == "a100" else {}
    return Costs(MODELS[model], GPUS[gpu], {**known, **own.linear}, own)


@dataclass(frozen=True)
class Tables:
    """What the kernels look up; seconds are of all layers.

    Attributes:
        work: float64[groups, options, TOKEN_BLOCKS + 1] prefill, by tokens / TOKEN_BLOCK rounded up.
        attention: float64[options, LENGTH_BLOCKS + 1] prefill attention of one request.
        step: float64[groups, options, SEQUENCES + 1] decode, by sequences; ATTN without its context.
        context: float64[options] decode attention, seconds for each token of context.
        kv: float64[groups, options] tokens of KV cache.
        held: float64[2, groups, options] bytes on each GPU; prefill, decode.
        least: int64[groups] smallest option whose memory suffices.
    """

    work: np.ndarray
    attention: np.ndarray
    step: np.ndarray
    context: np.ndarray
    kv: np.ndarray
    held: np.ndarray
    least: np.ndarray


@cache
def tables(model: str, gpu: str, measured: bool = True, profiles: str = "") -> Tables:
    """The tables of a model on a GPU; see :func:`costs`."""
    cost = costs(model, gpu, measured, profiles)
    n_options = len(OPTIONS)
    tokens = TOKEN_BLOCK * np.arange(TOKEN_BLOCKS + 1, dtype=np.float64)
    lengths = LENGTH_BLOCK * np.arange(LENGTH_BLOCKS + 1, dtype=np.float64)
    sequences = np.arange(SEQUENCES + 1, dtype=np.float64)
    work = np.zeros((GROUPS, n_options, TOKEN_BLOCKS + 1))
    attention = np.zeros((n_options, LENGTH_BLOCKS + 1))
    step = np.zeros((GROUPS, n_options, SEQUENCES + 1))
    context = np.zeros(n_options)
    layers = cost.model.layers
    for option, (share, tp) in enumerate(OPTIONS):
        for group in (QKV, OPROJ, FFN):
            work[group, option] = layers * cost.linear(group, np.maximum(1.0, tokens), tp, share)
            step[group, option] = layers * cost.linear(group, np.maximum(1.0, sequences), tp, share)
        work[FFN, option] += cost.head(np.ones(1), tp, share)[0]
        step[FFN, option] += cost.head(np.maximum(1.0, sequences), tp, share)
        attention[option] = layers * cost.prefill_attention(lengths, tp, share)
        one = layers * cost.decode_attention(sequences, 0 * sequences, tp, share)
        step[ATTN, option] = one
        longer = cost.decode_attention(np.ones(1), np.array([1e6]), tp, share)
        context[option] = (layers * float(longer[0]) - float(one[1])) / 1e6
    kv = np.array([[cost.kv_tokens(g, o) for o in range(n_options)] for g in range(GROUPS)], dtype=np.float64)
    held = np.array(
        [[[cost.held(g, o, bool(d)) for o in range(n_options)] for g in range(GROUPS)] for d in (0, 1)]
    )
    fits = [[cost.fits(g, o) for o in range(n_options)] for g in range(GROUPS)]
    least = np.array([next((o for o in range(n_options) if row[o]), n_options - 1) for row in fits])
    return Tables(work, attention, step, context, kv, held, least.astype(np.int64))


def knee(table: Tables, group: int, decode: bool) -> int:
    """The smallest share, in eighths, at which a group runs at 95 % of its speed on a whole GPU."""
    if group == WHOLE:
        return 8
    column = table.step[group, : FULL + 1, 64] if decode else table.work[group, : FULL + 1, 128]
    if group == ATTN:
        column = table.context[: FULL + 1] if decode else table.attention[: FULL + 1, 64]
    return 1 + next(o for o in range(FULL + 1) if column[o] <= column[FULL] / 0.95)


def used_bandwidth(share: float, whole: float, decode: bool) -> float:
    """Share of a GPU's bandwidth that a slice uses, from what it uses with the whole GPU."""
    return whole * (min(1.0, share / BANDWIDTH_SHARE) if decode else share)


__all__ = ["OPERATORS", "OPTIONS", "Costs", "Tables", "costs", "tables"]
