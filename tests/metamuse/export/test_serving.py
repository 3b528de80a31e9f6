"""What stands around an exported scaling policy: observation, KEDA's server, Ray Serve's policy."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from evaluators.opscale import layout as k
from metamuse.export.runtime import wire
from metamuse.export.runtime.observing import EACH, WHOLE, Serving
from metamuse.export.runtime.ray_policy import ApplicationPolicy, measured
from metamuse.export.runtime.scaling_engine import Scaler
from metamuse.export.serving import example_config
from metamuse.export.targets import keda, rayserve
from tests.metamuse.export import making
from tests.support.capabilities import demand


class ByQueue:
    """One replica for each ten that wait, and one more."""

    def __init__(self, n_groups: int, interval: float, ttft_slo: float, tbt_slo: float) -> None:
        self.n = n_groups
        self.wanted = [0] * n_groups
        self.times: list[float] = []

    def control(self, t: float, glob: Any, obs: Any, prof: Any) -> None:
        self.times.append(t)
        for g in range(0, self.n, 5):
            self.wanted[g] = 1 + int(obs[12 * g + 1] / 10)

    def replicas(self, group: int) -> int:
        if self.wanted[group] > 50:
            raise RuntimeError("too many")
        return self.wanted[group]


CONFIG = {
    "interval": 2.0, "ttft_slo": 2.0, "tbt_slo": 0.05, "gpus": 64, "load_delay": 40, "past_peak": 9, "past_p95": 5,
    "deployments": {"prefill": 0, "decode": 5}, "prof": [[0.0] * 8 + [2.0, 0.0, 0.0, 0.0]] * 10,
}  # fmt: skip


class TestObserving:
    def test_places(self) -> None:
        serving = Serving(ByQueue, CONFIG)
        whole = {"rps": 10.0, "ttft_p95": 1.0, "tbt_p95": 0.1}
        glob, obs = serving.numbers(whole, {"decode": {"ready": 3, "loading": 1, "kv_used": 0.5}})
        assert [glob[i] for i in (0, 1, 2, 8, 9, 10)] == [2.0, 10.0, 10.0, 0.5, 2.0, 0.0]
        assert list(glob[11:16]) == [8.0, 64.0, 40.0, 9.0, 5.0]
        assert (obs[60 + 6], obs[60 + 7], obs[60 + 11]) == (3.0, 1.0, 0.5) and sum(obs[:60]) == 0.0
        assert serving.numbers({"rps": 20.0}, {})[0][2] == pytest.approx(
            11.0
        )  # the simulator's moving average

    def test_names_have_the_simulators_places(self) -> None:
        assert sorted(EACH.values()) == list(range(k.OBS))
        assert sorted(WHOLE.values()) == list(range(1, 11))

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"interval": 0}, "above 0"),
            ({"prof": [[0.0] * 12] * 4}, "5 or 10 rows"),
            ({"deployments": {"a": 0, "b": 0}}, "each of its own"),
            ({"deployments": {"a": 10}}, "groups 0..9"),
            ({"gpus": None}, "lacks something"),
        ],
    )
    def test_refused(self, change: dict[str, Any], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            Serving(ByQueue, CONFIG | change)

    def test_groups_without_deployment_are_told(self, caplog: pytest.LogCaptureFixture) -> None:
        serving = Serving(ByQueue, CONFIG | {"deployments": {"prefill": 0}})
        with caplog.at_level(logging.WARNING):
            assert [serving.decide(t, {}, {}) for t in (0.0, 2.0)] == [{"prefill": 1}] * 2
        assert caplog.text.count("wants replicas of group 5") == 1


class TestFallback:
    def test_the_most_so_far(self) -> None:
        scaler = Scaler(ByQueue, 2.0, 1.0, 0.05, [0.0] * 60)
        for waiting, wanted in ((0, 1), (200, 21), (0, 1), (600, 21), (0, 21)):
            obs = [0.0] * 60
            obs[1] = waiting
            assert scaler.decide(0.0, [0.0] * 16, obs)[0].replicas == wanted
        assert scaler.fallback == "RuntimeError: too many"

    def test_what_no_decision_can_be(self) -> None:
        class Odd(ByQueue):
            def share(self, group: int) -> int:
                return 9

        scaler = Scaler(Odd, 2.0, 1.0, 0.05, [0.0] * 60)
        assert [one.replicas for one in scaler.decide(0.0, [0.0] * 16, [0.0] * 60)] == [1, 0, 0, 0, 0]
        assert scaler.fallback is not None and "share(0) is 9" in scaler.fallback


class Context(SimpleNamespace):
    """As much of Ray Serve's context as the policy reads."""


def context(name: str, queued: float, ready: int = 2, target: int = 3, **metrics: Any) -> Context:
    return Context(
        deployment_name=name, current_num_replicas=ready, target_num_replicas=target, total_num_requests=queued + 8.0,
        total_queued_requests=queued, aggregated_metrics=metrics, config=SimpleNamespace(target_ongoing_requests=10.0),
    )  # fmt: skip


class TestRayServe:
    def test_decides_once_an_interval(self) -> None:
        now = [100.0]
        policy = ApplicationPolicy(ByQueue, CONFIG, clock=lambda: now[0])
        contexts = {
            "id-p": context("prefill", 35.0),
            "id-d": context("decode", 0.0),
            "x": context("other", 9.0),
        }
        assert policy(contexts) == ({"id-p": 4, "id-d": 1}, {})
        contexts["id-p"] = context("prefill", 95.0)
        assert policy(contexts)[0]["id-p"] == 4
        now[0] += 2.0
        assert policy(contexts)[0]["id-p"] == 10

    def test_what_is_measured(self) -> None:
        stats = {
            "rps": {"a": 3.0, "b": 4.0},
            "ttft_p95": {"a": 0.5, "b": 0.7},
            "batch": {"a": 2.0, "b": 4.0},
            "odd": {"a": 1},
        }
        whole, each = measured(
            {"prefill": context("prefill", 5.0, **stats), "decode": context("decode", 0.0)}
        )
        assert whole == {"active": 16.0, "rps": 7.0, "ttft_p95": 0.7}
        assert each["prefill"] == {"ready": 2.0, "loading": 1.0, "waiting": 5.0, "busy": 0.4, "batch": 3.0}

    def test_serves_loop_goes_on(self) -> None:
        policy = ApplicationPolicy(ByQueue, CONFIG, clock=lambda: 0.0)
        assert policy({"id": Context(deployment_name="prefill")}) == ({}, {})

    def test_package(self) -> None:
        made = making.material("opscale", making.problem("opscale").baselines["hpa"])
        files = rayserve.EXPORTER.files(made)
        application = yaml.safe_load(files["application.yaml"])["applications"][0]
        assert application["autoscaling_policy"]["policy_function"] == "opscale_tried.autoscaler:Autoscaler"
        assert [d["name"] for d in application["deployments"]] == ["prefill"]
        Serving(ByQueue, example_config(made))


# -- messages, against the library of Protocol Buffers

_FIELDS = {
    "ScaledObjectRef": [("name", 9), ("namespace", 9), ("scalerMetadata", "Entry")],
    "IsActiveResponse": [("result", 8)],
    "GetMetricSpecResponse": [("metricSpecs", "MetricSpec")],
    "MetricSpec": [("metricName", 9), ("targetSize", 3), ("targetSizeFloat", 1)],
    "GetMetricsRequest": [("scaledObjectRef", "ScaledObjectRef"), ("metricName", 9)],
    "GetMetricsResponse": [("metricValues", "MetricValue")],
    "MetricValue": [("metricName", 9), ("metricValue", 3), ("metricValueFloat", 1)],
}


def _messages() -> dict[str, Any]:
    """The classes of KEDA's messages, made from their fields."""
    file = descriptor_pb2.FileDescriptorProto(name="scaler.proto", package="externalscaler", syntax="proto3")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields, 1):
            many = field in ("metricSpecs", "metricValues", "scalerMetadata")
            made = message.field.add(name=field, number=number, label=3 if many else 1)
            if isinstance(kind, int):
                made.type = kind  # type: ignore[assignment]
            else:
                made.type = 11  # type: ignore[assignment]
                nested = ".ScaledObjectRef.ScalerMetadataEntry" if kind == "Entry" else f".{kind}"
                made.type_name = ".externalscaler" + nested
        if name == "ScaledObjectRef":
            entry = message.nested_type.add(name="ScalerMetadataEntry")
            entry.options.map_entry = True
            for number, field in enumerate(("key", "value"), 1):
                entry.field.add(name=field, number=number, label=1, type=9)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        n: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"externalscaler.{n}")) for n in _FIELDS
    }


MESSAGES = _messages()


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text(), max_size=4))
def test_references(name: str, namespace: str, metadata: dict[str, str]) -> None:
    sent = MESSAGES["ScaledObjectRef"](name=name, namespace=namespace, scalerMetadata=metadata)
    assert wire.scaled_object(sent.SerializeToString()) == (name, namespace, metadata)
    asked = MESSAGES["GetMetricsRequest"](scaledObjectRef=sent, metricName=name)
    reference, metric = wire.metrics_request(asked.SerializeToString())
    assert wire.scaled_object(reference)[2] == metadata and metric == name


@given(st.integers(0, 2**63 - 1), st.floats(allow_nan=False), st.text())
def test_values(number: int, value: float, name: str) -> None:
    data = wire.block(1, wire.text(1, name) + wire.whole(2, number) + wire.real(3, value))
    read = MESSAGES["GetMetricsResponse"].FromString(data).metricValues[0]
    assert (read.metricName, read.metricValue, read.metricValueFloat) == (name, number, value)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        wire.scaled_object(data)


# -- KEDA's server, by a real client


@pytest.fixture
def scaler() -> Iterator[tuple[Any, Any, list[float]]]:
    demand("grpc")
    import grpc

    from metamuse.export.runtime.keda_scaler import Scaling, serve

    waiting = [0.0]

    def seen() -> Any:
        if waiting[0] < 0:
            raise OSError("no answer")
        return {"rps": 1.0}, {"prefill": {"waiting": waiting[0]}}

    scaling = Scaling(Serving(ByQueue, CONFIG | {"interval": 0.05}), seen)
    server, port = serve(scaling, "127.0.0.1:0")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield scaling, channel, waiting
    server.stop(0).wait()


def asked(channel: Any, method: str, answer: str, message: Any, stream: bool = False) -> Any:
    call = channel.unary_stream if stream else channel.unary_unary
    return call(
        f"/externalscaler.ExternalScaler/{method}",
        request_serializer=lambda m: m.SerializeToString(),
        response_deserializer=MESSAGES[answer].FromString,
    )(message, timeout=10)


def reference(**metadata: str) -> Any:
    return MESSAGES["ScaledObjectRef"](name="prefill", namespace="default", scalerMetadata=metadata)


def request(metric: str = "desired_replicas", **metadata: str) -> Any:
    return MESSAGES["GetMetricsRequest"](scaledObjectRef=reference(**metadata), metricName=metric)


class TestKeda:
    def test_replicas(self, scaler: tuple[Any, Any, list[float]]) -> None:
        scaling, channel, waiting = scaler
        waiting[0] = 42.0
        scaling.decide()
        spec = asked(channel, "GetMetricSpec", "GetMetricSpecResponse", reference()).metricSpecs[0]
        assert (spec.metricName, spec.targetSize, spec.targetSizeFloat) == ("desired_replicas", 1, 1.0)
        value = asked(channel, "GetMetrics", "GetMetricsResponse", request()).metricValues[0]
        assert (value.metricName, value.metricValue, value.metricValueFloat) == ("desired_replicas", 5, 5.0)
        other = asked(channel, "GetMetrics", "GetMetricsResponse", request(deployment="decode"))
        assert other.metricValues[0].metricValue == 1
        assert asked(channel, "IsActive", "IsActiveResponse", reference()).result
        waiting[0] = -1.0  # blind: the decisions stand
        scaling.decide()
        assert asked(channel, "GetMetrics", "GetMetricsResponse", request()).metricValues[0].metricValue == 5

    def test_the_stream(self, scaler: tuple[Any, Any, list[float]]) -> None:
        scaling, channel, _ = scaler
        scaling.decide()
        answers = asked(channel, "StreamIsActive", "IsActiveResponse", reference(), stream=True)
        assert next(answers).result is True
        scaling.serving.wanted["prefill"] = 0
        assert next(answers).result is False
        answers.cancel()

    def test_errors(self, scaler: tuple[Any, Any, list[float]]) -> None:
        import grpc

        scaling, channel, _ = scaler

        def code(message: Any) -> Any:
            with pytest.raises(grpc.RpcError) as error:
                asked(channel, "GetMetrics", "GetMetricsResponse", message)
            return error.value.code()  # type: ignore[attr-defined]

        assert code(request()) == grpc.StatusCode.UNAVAILABLE
        scaling.decide()
        assert code(request(deployment="nobody")) == grpc.StatusCode.NOT_FOUND
        assert code(request(metric="other")) == grpc.StatusCode.NOT_FOUND
        assert (
            code(SimpleNamespace(SerializeToString=lambda: b"\x0a\xff")) == grpc.StatusCode.INVALID_ARGUMENT
        )

    def test_every_interval(self, scaler: tuple[Any, Any, list[float]]) -> None:
        scaling, _, _ = scaler
        stop = threading.Event()
        thread = threading.Thread(target=scaling.run, args=(stop,))
        thread.start()
        policy = scaling.serving._scaler.policy
        while len(policy.times) < 3:
            stop.wait(0.01)
        stop.set()
        thread.join(10)
        assert not thread.is_alive() and policy.times[0] == 0.0

    def test_queries(self) -> None:
        demand("grpc")
        from metamuse.export.runtime.keda_scaler import of_prometheus

        with pytest.raises(ValueError, match="no policy is shown speed"):
            of_prometheus("http://x", {"speed": "1"}, {})

    def test_the_whole_program(self, tmp_path: Path, prometheus: tuple[str, dict[str, str]]) -> None:
        demand("grpc")
        import grpc

        url, answers = prometheus
        answers |= {"rate": "12.0", "busy": "0.9", "ready": "2", "none": "NaN"}
        made = making.material("opscale", making.problem("opscale").baselines["token_rate"])
        for name, text in keda.EXPORTER.files(made).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        config = json.loads((tmp_path / "scaling.json").read_text())
        each = {"prefill": {"ready": "ready", "busy": "busy", "wait": "none"}}
        config |= {
            "interval": 0.1,
            "prometheus": url,
            "queries": {"whole": {"rps": "rate"}, "deployments": each},
        }
        (tmp_path / "scaling.json").write_text(json.dumps(config))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [
            sys.executable,
            "-m",
            "opscale_tried.scaler",
            "--config",
            "scaling.json",
            "--address",
            address,
        ]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
            with grpc.insecure_channel(address) as channel:
                grpc.channel_ready_future(channel).result(timeout=30)
                value = None
                for _ in range(100):
                    try:
                        value = asked(channel, "GetMetrics", "GetMetricsResponse", request())
                        break
                    except grpc.RpcError:
                        time.sleep(0.1)
            assert value is not None and value.metricValues[0].metricValue >= 1
            process.terminate()
            said = process.communicate(timeout=20)[1]
        assert process.returncode == 0 and "listens on port" in said and "ERROR" not in said

    def test_package(self, tmp_path: Path) -> None:
        made = making.material("opscale", making.problem("opscale").baselines["hpa"])
        files = keda.EXPORTER.files(made)
        kinds = [one["kind"] for one in yaml.safe_load_all(files["deploy.yaml"])]
        assert kinds == ["Deployment", "Service", "ScaledObject"]
        assert (
            "rpc GetMetrics(GetMetricsRequest) returns (GetMetricsResponse)" in files["externalscaler.proto"]
        )
