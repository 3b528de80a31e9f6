"""The cost model: exact by construction where it can be, and monotone where physics is."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.base import WorkloadError
from evaluators.opscale import roofline
from evaluators.opscale.cost import FULL, OPTIONS, costs, knee, tables
from evaluators.opscale.hardware import ALL_REDUCE, GPUS
from evaluators.opscale.models import ATTN, FFN, MODELS, OPERATORS, OPROJ, QKV, WHOLE
from evaluators.opscale.profiles import VIDUR_OPERATORS, read_aiconfigurator, read_vidur, shipped
from evaluators.opscale.scenario import System

PAIRS = [(m, g) for m in MODELS for g in GPUS]


@pytest.mark.parametrize(
    ("model", "gigabytes", "kv"),
    [
        ("llama3-8b", 16.1, 131072),
        ("llama3-70b", 141, 327680),
        ("qwen2-7b", 15.2, 57344),
        ("qwen2-57b-a14b", 115, 57344),
        ("mixtral-8x7b", 93, 131072),
    ],
)
def test_weights_and_kv_are_the_model_cards(model: str, gigabytes: float, kv: int) -> None:
    shape = MODELS[model]
    assert shape.weights(WHOLE) / 1e9 == pytest.approx(gigabytes, rel=0.01)
    assert shape.kv_bytes == kv
    assert shape.weights(WHOLE) == sum(shape.weights(g) for g in OPERATORS)


def test_free_kv_cache_of_an_8b_model() -> None:
    assert costs("llama3-8b", "a100").kv_tokens(WHOLE, FULL) == pytest.approx(435_000, rel=0.02)


@pytest.mark.parametrize(("model", "gpu"), PAIRS)
def test_times_grow_with_work_and_shrink_with_gpus(model: str, gpu: str) -> None:
    table = tables(model, gpu, measured=False)
    for group in (QKV, OPROJ, FFN):
        assert (np.diff(table.work[group][:, 64::64], axis=1) > 0).all()  # between them tiles make steps
        assert (np.diff(table.work[group][: FULL + 1, 64], axis=0) <= 0).all()
    assert (np.diff(table.work[FFN][FULL:, 512]) < 0).all()
    assert (np.diff(table.attention, axis=1) > 0).all()
    assert (table.context > 0).all()
    assert (np.diff(table.context) <= 0).all()


@pytest.mark.parametrize(("model", "gpu"), PAIRS)
def test_whole_replicas_need_the_memory_of_their_weights(model: str, gpu: str) -> None:
    cost = costs(model, gpu)
    for option in range(FULL, len(OPTIONS)):
        room = cost.room(OPTIONS[option][1])
        assert (cost.kv_tokens(WHOLE, option) > 0) == (room > cost.model.weights(WHOLE) + cost.model.kv_bytes)


def test_a_model_that_does_not_fit_is_refused() -> None:
    with pytest.raises(WorkloadError, match=r"llama3-70b does not fit on 1 x a100; use a larger tp"):
        System(model="llama3-70b")


def test_tables_are_exact_at_their_knots() -> None:
    for table in shipped().values():
        for i, name in enumerate(VIDUR_OPERATORS):
            assert table.time(name, table.tokens) == pytest.approx(table.seconds[i], rel=1e-12)


def test_beyond_a_table_times_grow_on() -> None:
    table = shipped()["llama3-8b", 1]
    far = table.time("mlp_up_proj", np.array([8192.0, 16384.0]))
    assert far[1] / far[0] == pytest.approx(2.0, rel=0.05)


def test_moe_is_flat_where_all_experts_are_touched() -> None:
    model = MODELS["mixtral-8x7b"]
    times = roofline.experts(GPUS["a100"], model, np.array([1.0, 16.0, 64.0, 256.0, 2048.0]), 1)
    assert times[3] / times[1] < 1.5
    assert times[1] / times[0] > 3
    assert times[4] / times[3] > 3
    assert 1e3 * times == pytest.approx([0.45, 2.37, 2.56, 3.2, 13.1], rel=0.35)  # AIConfigurator's table


def test_all_reduce_is_the_measured_one() -> None:
    for tp, points in ALL_REDUCE.items():
        for moved, seconds in points:
            assert roofline.all_reduce(GPUS["a100"], np.array([moved]), tp)[0] == pytest.approx(
                seconds, rel=1e-9
            )
    assert roofline.all_reduce(GPUS["a100"], np.array([1e6]), 1)[0] == 0.0
    faster = roofline.all_reduce(GPUS["gb200"], np.array([1e8]), 4)
    assert faster[0] < roofline.all_reduce(GPUS["a100"], np.array([1e8]), 4)[0]


def test_decode_reaches_its_speed_with_part_of_the_sms() -> None:
    table = tables("llama3-8b", "h100")
    assert knee(table, ATTN, decode := True) <= 5
    assert knee(table, FFN, not decode) == 8
    assert knee(table, WHOLE, decode) == 8


def test_readers_of_profiles(tmp_path) -> None:
    path = tmp_path / "mlp.csv"
    names = [f"time_stats.{name}.median" for name in VIDUR_OPERATORS]
    head = ",".join([*names, "num_tokens", "num_tensor_parallel_workers"])
    path.write_text(f"{head}\n1,2,3,4,,6,7,8,9,16,2\n2,2,3,4,5,6,7,8,9,8,2\n")
    (table,) = read_vidur(path).values()
    assert table.tokens.tolist() == [8, 16]
    assert table.time("post_attention_layernorm", np.array([8.0, 16.0])).tolist() == [0.005, 0.001]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(WorkloadError, match=r"mlp.csv, line 2: not a row of Vidur's"):
        read_vidur(path)
    path.write_text(f"{head}\n")
    with pytest.raises(WorkloadError, match="no rows"):
        read_vidur(path)
    with pytest.raises(WorkloadError, match="No such file"):
        read_vidur(tmp_path / "none.csv")
    other = tmp_path / "gemm.csv"
    other.write_text("m,n,k,latency\n1,2,3,4.5\n")
    columns = read_aiconfigurator(other)
    assert columns["latency"].tolist() == pytest.approx([0.0045])
    assert columns["m"].tolist() == [1]
    other.write_text("m,n\n1,2\n")
    with pytest.raises(WorkloadError, match="not an AIConfigurator table"):
        read_aiconfigurator(other)
