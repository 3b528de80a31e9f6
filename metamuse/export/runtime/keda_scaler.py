"""KEDA's external scaler: a gRPC server that says how many replicas of each deployment the policy wants.

Needs grpcio. Every interval it asks Prometheus for what the policy is shown, and decides; KEDA asks it for the outcome.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

from metamuse.export.runtime.observing import EACH, WHOLE, Serving
from metamuse.export.runtime.wire import block, metrics_request, real, scaled_object, text, whole

#: The only metric; its value is the wanted number of replicas, its target 1.
METRIC = "desired_replicas"
#: Key in the metadata of a ScaledObject that names the deployment; without it the ScaledObject's own name counts.
KEY = "deployment"
#: Threads, of which every open stream takes one.
_THREADS = 32
_PATIENCE_S, _MOST_BYTES = 5.0, 1 << 20

_log = logging.getLogger(__name__)

#: What was measured: of the whole service, and of each deployment.
Measured = tuple[Mapping[str, float], Mapping[str, Mapping[str, float]]]


class Scaling:
    """Decides every interval.

    Args:
        serving: What decides.
        measure: Gives what was measured.
    """

    def __init__(self, serving: Serving, measure: Callable[[], Measured]) -> None:
        self.serving = serving
        self._measure = measure
        self._blind = False

    def decide(self) -> None:
        """Decide once. If something cannot be measured, the decisions stand."""
        try:
            wanted = self.serving.decide(time.monotonic(), *self._measure())
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            if not self._blind:
                _log.error("what the policy is shown cannot be measured, its decisions stand: %s", error)
            self._blind = True
            return
        if self._blind:
            _log.info("what the policy is shown is measured again")
        self._blind = False
        _log.debug("wanted %s", wanted)

    def run(self, stop: threading.Event) -> None:
        """Until ``stop`` is set."""
        while not stop.is_set():
            began = time.monotonic()
            self.decide()
            stop.wait(max(0.0, began + self.serving.interval - time.monotonic()))

    def replicas(self, reference: bytes, context: Any) -> int:
        """What is wanted of the deployment of a ``ScaledObjectRef``; ends the call if that is not known."""
        try:
            name, _, metadata = scaled_object(reference)
        except ValueError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        deployment = metadata.get(KEY, name)
        if deployment not in self.serving.groups:
            known = ", ".join(self.serving.groups)
            context.abort(
                grpc.StatusCode.NOT_FOUND, f"no deployment {deployment!r}; metadata.{KEY} is one of {known}"
            )
        if deployment not in self.serving.wanted:
            context.abort(grpc.StatusCode.UNAVAILABLE, "nothing is decided yet")
        return self.serving.wanted[deployment]


def serve(scaling: Scaling, address: str) -> tuple[grpc.Server, int]:
    """A started server, and its port."""

    def is_active(request: bytes, context: Any) -> bytes:
        return whole(1, int(scaling.replicas(request, context) > 0))

    def stream_is_active(request: bytes, context: Any) -> Iterator[bytes]:
        told = None
        while context.is_active():
            active = scaling.replicas(request, context) > 0
            if active != told:
                told = active
                yield whole(1, int(active))
            time.sleep(min(1.0, scaling.serving.interval))

    def metric_spec(request: bytes, context: Any) -> bytes:
        return block(1, text(1, METRIC) + whole(2, 1) + real(3, 1.0))

    def metrics(request: bytes, context: Any) -> bytes:
        try:
            reference, name = metrics_request(request)
        except ValueError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        if name not in ("", METRIC):
            context.abort(grpc.StatusCode.NOT_FOUND, f"no metric {name!r}; there is {METRIC}")
        value = scaling.replicas(reference, context)
        return block(1, text(1, METRIC) + whole(2, value) + real(3, float(value)))

    methods = {
        "IsActive": grpc.unary_unary_rpc_method_handler(is_active),
        "StreamIsActive": grpc.unary_stream_rpc_method_handler(stream_is_active),
        "GetMetricSpec": grpc.unary_unary_rpc_method_handler(metric_spec),
        "GetMetrics": grpc.unary_unary_rpc_method_handler(metrics),
    }
    server = grpc.server(futures.ThreadPoolExecutor(_THREADS))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("externalscaler.ExternalScaler", methods),)
    )
    port = server.add_insecure_port(address)
    server.start()
    return server, port


def of_prometheus(
    url: str, service: Mapping[str, str], each: Mapping[str, Mapping[str, str]]
) -> Callable[[], Measured]:
    """What asks a Prometheus server, each query for one number.

    Raises:
        ValueError: A query has a name that nobody knows.
    """
    unknown = (set(service) - set(WHOLE)) | {
        name for queries in each.values() for name in set(queries) - set(EACH)
    }
    if unknown:
        raise ValueError(
            f"no policy is shown {', '.join(sorted(unknown))}; known: {', '.join((*WHOLE, *EACH))}"
        )

    def ask(query: str) -> float:
        where = f"{url.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(where, timeout=_PATIENCE_S) as answer:
            value = float(json.loads(answer.read(_MOST_BYTES))["data"]["result"][0]["value"][1])
        return 0.0 if value != value else value  # a quantile of nothing

    return lambda: (
        {name: ask(query) for name, query in service.items()},
        {of: {name: ask(query) for name, query in queries.items()} for of, queries in each.items()},
    )


def main(policy_class: type[Any], words: list[str] | None = None) -> int:
    """The command; see ``--help``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="scaling.json")
    parser.add_argument("--address", default="[::]:6000")
    parser.add_argument("--verbose", action="store_true", help="log every decision")
    given = parser.parse_args(words)
    level = logging.DEBUG if given.verbose else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        config = json.loads(given.config.read_text(encoding="utf-8"))
        asked = config["queries"]
        scaling = Scaling(
            Serving(policy_class, config),
            of_prometheus(config["prometheus"], asked["whole"], asked["deployments"]),
        )
    except (OSError, ValueError, KeyError) as error:
        print(f"{given.config}: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server, port = serve(scaling, given.address)
    _log.info("KEDA's external scaler listens on port %d", port)
    scaling.run(stop)
    server.stop(2.0).wait()
    return 0
