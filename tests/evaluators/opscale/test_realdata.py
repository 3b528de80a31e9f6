"""The fitted model against the published tables, and the published traces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluators.opscale import roofline
from evaluators.opscale.cost import costs
from evaluators.opscale.hardware import GPUS
from evaluators.opscale.models import FFN, MODELS
from evaluators.opscale.profiles import VIDUR_OPERATORS, read_aiconfigurator, read_vidur, shipped
from evaluators.opscale.scenario import rates
from evaluators.opscale.trace import read_trace

pytestmark = pytest.mark.realdata


@pytest.fixture
def folder(data_dir: Path) -> Path:
    return data_dir / "opscale"


@pytest.mark.parametrize(
    ("model", "file"), [("llama3-8b", "Meta-Llama-3-8B"), ("llama3-70b", "Meta-Llama-3-70B")]
)
def test_shipped_knots_against_the_whole_table(folder: Path, model: str, file: str) -> None:
    errors = []
    for tp, table in read_vidur(folder / f"vidur_mlp_a100_{file}.csv").items():
        inside = table.tokens <= 8192
        for i, name in enumerate(VIDUR_OPERATORS):
            found = shipped()[model, tp].time(name, table.tokens[inside])
            errors.append(np.abs(found / table.seconds[i][inside] - 1))
    both = np.concatenate(errors)
    assert np.median(both) < 0.02
    assert np.quantile(both, 0.95) < 0.09


@pytest.mark.parametrize(("gpu", "worst"), [("a100", 0.24), ("h100", 0.24)])
def test_gemm_against_aiconfigurator(folder: Path, gpu: str, worst: float) -> None:
    """Large layers; the A100's fit is Vidur's, whose kernels are slower than these."""
    t = read_aiconfigurator(folder / f"aic_{gpu}_sxm_vllm0.14.0_gemm_perf.parquet")
    keep = (t["gemm_dtype"] == "bfloat16") & (t["m"] <= 8192) & (t["n"] >= 512) & (t["k"] >= 512)
    keep &= t["n"] * t["k"] >= 3e6
    found = np.array([
        float(roofline.gemm(GPUS[gpu], np.array([m]), k, n)[0])
        for m, n, k in zip(t["m"][keep], t["n"][keep], t["k"][keep], strict=True)
    ])  # fmt: skip
    errors = np.abs(found / t["latency"][keep] - 1)
    assert np.median(errors) < 0.2
    assert np.quantile(errors, 0.95) < 2 * worst


@pytest.mark.parametrize(("gpu", "worst"), [("a100", 0.14), ("h100", 0.2)])
def test_prefill_attention_against_aiconfigurator(folder: Path, gpu: str, worst: float) -> None:
    t = read_aiconfigurator(folder / f"aic_{gpu}_sxm_vllm0.14.0_context_attention_perf.parquet")
    keep = (t["kv_cache_dtype"] == "bfloat16") & (t["num_heads"] == 32) & (t["num_key_value_heads"] == 8)
    keep &= (t["batch_size"] == 1) & (t["isl"] >= 512)
    found = roofline.prefill_attention(GPUS[gpu], MODELS["llama3-8b"], t["isl"][keep], 1)
    assert np.quantile(np.abs(found / t["latency"][keep] - 1), 0.95) < worst


@pytest.mark.parametrize("gpu", ["a100", "h100"])
def test_decode_attention_against_aiconfigurator(folder: Path, gpu: str) -> None:
    t = read_aiconfigurator(folder / f"aic_{gpu}_sxm_vllm0.14.0_generation_attention_perf.parquet")
    keep = (t["kv_cache_dtype"] == "bfloat16") & (t["num_heads"] == 32) & (t["num_key_value_heads"] == 8)
    keep &= (t["batch_size"] >= 16) & (t["batch_size"] <= 256) & (t["step"] >= 511) & (t["step"] < 16384)
    batch = t["batch_size"][keep].astype(float)
    found = roofline.decode_attention(GPUS[gpu], MODELS["llama3-8b"], batch, batch * (t["step"][keep] + 1), 1)
    errors = np.abs(found / t["latency"][keep] - 1)
    assert np.median(errors) < 0.1
    assert np.quantile(errors, 0.95) < 0.35


def test_mixtral_experts_against_aiconfigurator(folder: Path) -> None:
    t = read_aiconfigurator(folder / "aic_a100_sxm_vllm0.14.0_moe_perf.parquet")
    keep = (
        (t["hidden_size"] == 4096)
        & (t["inter_size"] == 14336)
        & (t["moe_tp_size"] == 1)
        & (t["moe_ep_size"] == 1)
    )
    keep &= (t["num_tokens"] <= 8192) & (t["distribution"] == "power_law_1.01")
    found = roofline.experts(GPUS["a100"], MODELS["mixtral-8x7b"], t["num_tokens"][keep], 1)
    errors = np.abs(found / t["latency"][keep] - 1)
    assert np.median(errors) < 0.25
    assert np.quantile(errors, 0.95) < 0.4


def test_traces(folder: Path) -> None:
    code = read_trace(folder / "AzureLLMInferenceTrace_code.csv")
    assert len(code.arrivals) == 8819
    assert code.prompts.mean() == pytest.approx(2048, rel=0.01)
    assert code.outputs.mean() == pytest.approx(28, rel=0.02)
    minutes = rates(code.arrivals, 60.0)
    assert minutes.max() / minutes.mean() == pytest.approx(4.2, rel=0.05)
    talk = read_trace(folder / "mooncake_conversation_trace.jsonl")
    assert len(talk.arrivals) == 12_031
    assert talk.prompts.mean() == pytest.approx(12_035, rel=0.01)
    assert talk.outputs.mean() == pytest.approx(343, rel=0.01)


def test_a_folder_of_the_published_tables(folder: Path, tmp_path: Path) -> None:
    """What AIConfigurator measured on an H100 is what the simulator then charges."""
    names = {
        "context_attention": "prefill_attention",
        "generation_attention": "decode_attention",
        "moe": "experts",
    }
    for theirs, ours in names.items():
        source = folder / f"aic_h100_sxm_vllm0.14.0_{theirs}_perf.parquet"
        (tmp_path / f"h100_{ours}.parquet").symlink_to(source)
    own = costs("llama3-8b", "h100", profiles=str(tmp_path))
    assert sorted(own.own.prefill) == [1, 2, 4, 8]
    t = read_aiconfigurator(folder / "aic_h100_sxm_vllm0.14.0_context_attention_perf.parquet")
    keep = (t["attn_dtype"] == "bfloat16") & (t["kv_cache_dtype"] == "bfloat16") & (t["batch_size"] == 1)
    keep &= (t["num_heads"] == 32) & (t["num_key_value_heads"] == 8) & (t["head_dim"] == 128)
    found = own.prefill_attention(t["isl"][keep].astype(float))
    assert found == pytest.approx(t["latency"][keep], rel=1e-6)
    t = read_aiconfigurator(folder / "aic_h100_sxm_vllm0.14.0_generation_attention_perf.parquet")
    keep = (t["attn_dtype"] == "bfloat16") & (t["kv_cache_dtype"] == "bfloat16")
    keep &= (t["num_heads"] == 32) & (t["num_key_value_heads"] == 8) & (t["head_dim"] == 128)
    keep &= (t["batch_size"] >= 16) & (t["batch_size"] <= 256) & (t["step"] >= 511) & (t["step"] < 16384)
    batch = t["batch_size"][keep].astype(float)
    errors = np.abs(own.decode_attention(batch, batch * (t["step"][keep] + 1)) / t["latency"][keep] - 1)
    assert np.median(errors) < 0.1
    mixtral = costs("mixtral-8x7b", "h100", profiles=str(tmp_path))
    assert 1 in mixtral.own.experts
    tokens = np.array([16.0, 256.0])
    fitted = costs("mixtral-8x7b", "h100")
    assert not np.allclose(mixtral.linear(FFN, tokens), fitted.linear(FFN, tokens), rtol=0.01)
