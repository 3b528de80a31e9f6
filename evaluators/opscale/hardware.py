"""GPUs: nominal constants, efficiencies fitted to measured kernels, and power."""

from __future__ import annotations

from dataclasses import dataclass

GB = 1e9


@dataclass(frozen=True)
class Gemm:
    """``t = fixed + (compute^p + memory^p)^(1/p)``; compute is lengthened by ``1 + ragged / tiles`` (few tiles).

    Attributes:
        compute: Share of the nominal FLOP/s.
        memory: Share of the nominal bandwidth.
        fixed: Seconds a kernel.
        blend: The exponent p: how sharp the corner of the roofline is.
        ragged: Tiles of 128 x 128 by which a matrix multiplication seems larger than it is.
    """

    compute: float
    memory: float
    fixed: float
    blend: float
    ragged: float


@dataclass(frozen=True)
class Attention:
    """Prefill: ``t = fixed + 2 L (L + knee) q / (compute F)``; decode: ``fixed + bytes / (memory BW) + seqs * each``."""

    compute: float
    fixed: float
    knee: float
    memory: float
    decode_fixed: float
    each: float


@dataclass(frozen=True)
class Moe:
    """Expert FFN: as :class:`Gemm`, tokens padded by ``tile`` for every expert touched; ``skew`` < 1 touches fewer."""

    compute: float
    memory: float
    fixed: float
    blend: float
    tile: float
    skew: float


@dataclass(frozen=True)
class Gpu:
    """A GPU; nominal numbers are those of AIConfigurator's system files (Apache-2.0).

    Attributes:
        name: Its id.
        flops: bf16 dense FLOP/s.
        bandwidth: HBM bytes/s.
        memory: Bytes.
        link: Bytes/s in one direction between GPUs of a node.
        pcie: Bytes/s from the host.
        hop: Seconds of latency of one transfer.
        idle_w: Power of a GPU that is held and idle. This and the next two are assumptions
            (splitwise-sim's A100 power table and published idle powers bracket them).
        prefill_w: Power while prefill runs.
        decode_w: Power while decode runs.
        gemm: Fitted, see ``docs/opscale.md`` for the sources and errors.
        attention: Fitted.
        moe: Fitted.
    """

    name: str
    flops: float
    bandwidth: float
    memory: float
    link: float
    pcie: float
    hop: float
    idle_w: float
    prefill_w: float
    decode_w: float
    gemm: Gemm
    attention: Attention
    moe: Moe


# Fitted to Vidur's mlp tables of Llama-3-8B and -70B (MIT): median error 5 %, 95 % of points within 17 %.
_A100_GEMM = Gemm(0.712, 0.773, 4.87e-6, 3.07, 9.69)
# Fitted to AIConfigurator's vLLM 0.14 tables (Apache-2.0).
_A100_ATTENTION = Attention(0.587, 13.6e-6, 518.0, 0.714, 19.5e-6, 0.05e-6)
_A100_MOE = Moe(0.428, 0.631, 26.7e-6, 3.0, 20.5, 0.62)
_H100_GEMM = Gemm(0.865, 0.932, 4.1e-6, 2.72, 8.5)
_H100_ATTENTION = Attention(0.621, 10.4e-6, 1095.0, 0.927, 11.2e-6, 0.0575e-6)
_H100_MOE = Moe(0.369, 0.736, 1e-6, 2.37, 38.0, 0.85)

GPUS = {
    gpu.name: gpu
    for gpu in (
        Gpu("a100", 312e12, 2.039e12, 80 * 2**30, 300e9, 32e9, 10e-6, 80.0, 400.0, 250.0,
            _A100_GEMM, _A100_ATTENTION, _A100_MOE),
        Gpu("h100", 989e12, 3.35e12, 80 * 2**30, 450e9, 64e9, 10e-6, 120.0, 680.0, 450.0,
            _H100_GEMM, _H100_ATTENTION, _H100_MOE),
        # No measured tables were at hand for the last two: H100's efficiencies on their nominal numbers.
        Gpu("h200", 989e12, 4.8e12, 141 * 2**30, 450e9, 64e9, 10e-6, 120.0, 680.0, 500.0,
            _H100_GEMM, _H100_ATTENTION, _H100_MOE),
        Gpu("gb200", 2500e12, 8.0e12, 189471 * 2**20, 900e9, 64e9, 10e-6, 200.0, 1160.0, 770.0,
            _H100_GEMM, _H100_ATTENTION, _H100_MOE),
    )
}  # fmt: skip

#: Bytes that a process keeps for itself on each GPU: runtime and NCCL buffers (AIConfigurator).
RESERVED = 3.5 * GB + 0.4 * GB
#: Share of the memory that an engine uses.
USABLE = 0.9
#: Share of the SMs from which on the whole bandwidth of the HBM is reached.
BANDWIDTH_SHARE = 0.5

#: All-reduce on A100 by GPUs: (bytes, seconds), NCCL 2.27.3 (AIConfigurator). Others: scaled with the link.
ALL_REDUCE = {
    2: (
        (256.0, 10.0e-6),
        (65536.0, 13.5e-6),
        (1048576.0, 47.6e-6),
        (16777216.0, 224e-6),
        (268435456.0, 2781e-6),
    ),
    4: (
        (256.0, 14.5e-6),
        (65536.0, 17.8e-6),
        (1048576.0, 46.2e-6),
        (16777216.0, 288e-6),
        (268435456.0, 3716e-6),
    ),
    8: (
        (256.0, 22.6e-6),
        (65536.0, 27.4e-6),
        (1048576.0, 53.7e-6),
        (16777216.0, 367e-6),
        (268435456.0, 4226e-6),
    ),
}
ALL_REDUCE_LINK = 300e9
