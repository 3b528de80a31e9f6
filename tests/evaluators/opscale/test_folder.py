"""A user's own profile tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from evaluators.base import WorkloadError
from evaluators.opscale.cost import FULL, costs, tables
from evaluators.opscale.folder import Curve, content, read_folder
from evaluators.opscale.models import ATTN, FFN, QKV
from evaluators.opscale.profiles import VIDUR_OPERATORS, shipped
from evaluators.opscale.scenario import Past, Scenario, System

HEADS = "batch_size,num_heads,num_key_value_heads,head_dim,attn_dtype"


def vidur(path: Path, milliseconds: float, tp: int = 1) -> None:
    head = ",".join([*(f"time_stats.{name}.median" for name in VIDUR_OPERATORS), "num_tokens"])
    rows = [",".join([str(milliseconds * n)] * 9 + [str(n), str(tp)]) for n in (1, 1024, 8192)]
    path.write_text("\n".join([f"{head},num_tensor_parallel_workers", *rows]) + "\n")


def test_projections_come_from_the_folder(tmp_path: Path) -> None:
    vidur(tmp_path / "h100_llama3-8b.csv", 1e-3)
    own, fitted = costs("llama3-8b", "h100", profiles=str(tmp_path)), costs("llama3-8b", "h100")
    tokens = np.array([512.0, 2048.0])
    assert own.linear(QKV, tokens) == pytest.approx(3 * 1e-6 * tokens)  # three operators of Vidur's
    # A slice is slower as the formula says; what the folder does not cover is as it was.
    slower = fitted.linear(QKV, tokens, share=0.25) / fitted.linear(QKV, tokens)
    assert own.linear(QKV, tokens, share=0.25) == pytest.approx(3 * 1e-6 * tokens * slower)
    assert own.linear(QKV, tokens, tp=2) == pytest.approx(fitted.linear(QKV, tokens, tp=2))
    elsewhere = costs("llama3-8b", "a100", profiles=str(tmp_path))
    assert elsewhere.linear(FFN, tokens) == pytest.approx(costs("llama3-8b", "a100").linear(FFN, tokens))


def test_own_tables_go_before_shipped_ones(tmp_path: Path) -> None:
    vidur(tmp_path / "a100_llama3-8b.csv", 2e-3)
    own = costs("llama3-8b", "a100", profiles=str(tmp_path))
    assert own.linear(QKV, np.array([2048.0]))[0] == pytest.approx(3 * 2e-6 * 2048)
    assert sorted(own.tables) == sorted(tp for model, tp in shipped() if model == "llama3-8b")


def test_attention_and_experts_come_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a100_prefill_attention.csv").write_text(
        f"{HEADS},isl,latency\n1,32,8,128,bfloat16,1024,1.0\n1,32,8,128,bfloat16,4096,16.0\n"
        "1,32,8,128,fp8,4096,9.0\n2,32,8,128,bfloat16,4096,32.0\n"
    )
    rows = [
        f"{b},32,8,128,bfloat16,{s},{0.02 + 0.001 * b + 1e-6 * b * (s + 1)}"
        for b in (16, 64, 256)
        for s in (511, 2047, 8191)
    ]
    (tmp_path / "a100_decode_attention.csv").write_text("\n".join([f"{HEADS},step,latency", *rows]) + "\n")
    moe = "num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,moe_dtype,latency\n"
    (tmp_path / "a100_experts.csv").write_text(
        moe + "16,4096,14336,2,8,1,1,bfloat16,2.0\n64,4096,14336,2,8,1,1,bfloat16,2.5\n"
        "64,4096,14336,2,8,1,1,bfloat16,3.5\n"
    )
    own = costs("llama3-8b", "a100", profiles=str(tmp_path))
    assert own.prefill_attention(np.array([1024.0, 2048.0, 8192.0])) == pytest.approx([1e-3, 4e-3, 64e-3])
    found = own.decode_attention(np.array([32.0]), np.array([32 * 1000.0]))[0]
    assert found == pytest.approx(1e-3 * (0.02 + 0.032 + 0.032), rel=1e-6)
    mixtral = costs("mixtral-8x7b", "a100", profiles=str(tmp_path))
    shape = mixtral.linear(FFN, np.array([16.0, 64.0]))
    assert shape[1] - shape[0] == pytest.approx(1e-3, rel=0.05)  # 2 ms, and the mean of 2.5 and 3.5 ms
    table = tables("llama3-8b", "a100", profiles=str(tmp_path))
    assert table.attention[FULL, 1024 // 32] == pytest.approx(32e-3)  # 32 layers
    assert table.context[FULL] == pytest.approx(32 * 1e-9)
    assert table.step[ATTN, FULL, 100] == pytest.approx(32e-3 * 0.12)


def test_curves_go_on_beyond_their_points() -> None:
    curve = Curve(np.array([10.0, 20.0]), np.array([1.0, 2.0]))
    assert curve.at(np.array([5.0, 10.0, 15.0, 80.0])) == pytest.approx([1.0, 1.0, 1.5, 8.0])


def test_the_digest_is_of_the_tables_not_of_their_place(tmp_path: Path) -> None:
    def digest(folder: str) -> str:
        past = Past(3.0, 8.0, 2.0, 1500.0, 4e6, 60.0)
        one = np.array([1], dtype=np.int64)
        return Scenario("x", System(profiles=folder), np.array([1.0]), one, one, past).digest()

    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder in folders:
        folder.mkdir()
        vidur(folder / "a100_llama3-8b.csv", 1e-3)
    vidur(folders[2] / "a100_llama3-8b.csv", 2e-3)
    same, other, different, none = (digest(f) for f in (*map(str, folders), ""))
    assert same == other
    assert len({same, different, none}) == 3
    shutil.rmtree(folders[0])
    assert content("") == ""


BAD = {
    "v100_llama3-8b.csv": ("a\n1\n", "is no profile table; they are named <gpu>_<model>.csv or"),
    "a100_llama3-9b.csv": ("a\n1\n", "is no profile table"),
    "a100_llama3-8b.csv": ("a\n1\n", "not a row of Vidur's mlp.csv"),
    "a100_experts.csv": ("num_tokens,latency\n1,2.0\n", "has no column hidden_size"),
    "a100_prefill_attention.csv": (
        f"{HEADS},isl,latency\n1,32,8,128,bfloat16,1024,0.0\n",
        "has no rows, or a latency that is not positive",
    ),
    "a100_decode_attention.csv": (
        f"{HEADS},step,latency\n1.5,32,8,128,bfloat16,1024,1.0\n",
        "column batch_size must hold whole numbers",
    ),
    "h100_decode_attention.csv": (
        f"{HEADS},step,latency\n1,7,7,128,bfloat16,1024,1.0\n",
        "none of its tables has the shape of a model that is known",
    ),
    "h100_prefill_attention.parquet": ("no parquet\n", "not an AIConfigurator table"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_folders(tmp_path: Path, name: str) -> None:
    text, message = BAD[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(WorkloadError) as failed:
        read_folder(str(tmp_path))
    assert message in str(failed.value)
    assert "\n" not in str(failed.value)


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"problem.profiles: .*none: No such file or directory"):
        System(profiles=str(tmp_path / "none"))
    (tmp_path / "README.md").write_text("about")
    with pytest.raises(WorkloadError, match="holds no tables"):
        System(profiles=str(tmp_path))


def test_tables_of_nothing_or_of_negative_time(tmp_path: Path) -> None:
    vidur(tmp_path / "a100_llama3-8b.csv", -1.0)
    with pytest.raises(WorkloadError, match="times and tokens must be positive, those of TP 1 are not"):
        read_folder(str(tmp_path))
