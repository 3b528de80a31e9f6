"""The controller of an application: each minute it hears the nodes' agents and the latency, and decides all targets.

Needs nothing but Python. Without it the agents go on with a default target.
"""

from __future__ import annotations

import argparse
import hmac
import json
import logging
import math
import os
import signal
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from metamuse.export.runtime.throttle_engine import APP, DEFAULT_TARGET, SERVICE, ApplicationLaw

#: Seconds between two decisions; a node's report counts for so long; minutes without latencies after which targets are
#: the default ones.
MINUTE_S, REPORT_S, BLIND = 60.0, 150.0, 3
_MOST_BYTES = 1 << 20
_PATIENCE_S = 10.0
#: What is asked of Prometheus, in the order of a policy's ``app``.
QUERIES = ("rps_10s", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "rps")

_log = logging.getLogger(__name__)


class Controller:
    """Decides the targets of all services.

    Args:
        policy_class: The class ``Policy`` of the export.
        services: ``{name: 1 or 0}`` in order: 1 for the few services with most of the CPU usage.
        node_cores: Cores of a node.
        slo_ms: The objective of the latency.
        measure: Gives the six numbers of ``QUERIES`` over the last minute.
        clock: Seconds that never go back.

    Attributes:
        targets: Target by service.
    """

    def __init__(
        self,
        policy_class: type[Any],
        services: Mapping[str, int],
        node_cores: float,
        slo_ms: float,
        measure: Callable[[], Sequence[float]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.names = list(services)
        self._law = ApplicationLaw(policy_class, node_cores, slo_ms, [services[n] for n in self.names])
        self._measure = measure
        self._clock = clock
        self._reports: dict[str, tuple[float, list[tuple[str, list[float]]]]] = {}
        self._blind = 0
        self._lock = threading.Lock()
        first = self._law.decide([0.0] * APP, [0.0] * (SERVICE * len(self.names)))
        self.targets = dict(zip(self.names, first, strict=True))

    def hear(self, node: str, rows: Sequence[tuple[str, Sequence[float]]]) -> None:
        """Take a node's report of a minute.

        Raises:
            ValueError: It is none.
        """
        kept = [(str(name), [float(x) for x in row]) for name, row in rows]
        if any(len(row) != SERVICE or not all(map(math.isfinite, row)) for _, row in kept):
            raise ValueError(f"a service has {SERVICE} numbers")
        with self._lock:
            self._reports[node] = (self._clock(), kept)

    def minute(self) -> None:
        """Decide for the next minute."""
        try:
            seen = [float(x) for x in self._measure()]
            if len(seen) != len(QUERIES) or not all(map(math.isfinite, seen)):
                raise ValueError(f"not {len(QUERIES)} finite numbers: {seen}")
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            self._blind += 1
            _log.warning("the latency is not known: %s", error)
            if self._blind == BLIND:
                _log.error("no latency for %d minutes: all targets are %s", BLIND, DEFAULT_TARGET)
                self.targets = dict.fromkeys(self.names, DEFAULT_TARGET)
            return
        self._blind = 0
        rows = self.rows()
        allocated, used = sum(row[4] for row in rows), sum(row[0] for row in rows)
        decided = self._law.decide([*seen, allocated, used], [x for row in rows for x in row])
        self.targets = dict(zip(self.names, decided, strict=True))
        _log.info("minute %s", json.dumps({"app": seen, "targets": self.targets}))

    def rows(self) -> list[list[float]]:
        """Seven numbers a service, those of several pods put together: sums, for deviations the root of the squares'
        sum, for shares the mean."""
        with self._lock:
            old = self._clock() - REPORT_S
            self._reports = {node: (at, rows) for node, (at, rows) in self._reports.items() if at >= old}
            heard = [row for _, rows in self._reports.values() for row in rows]
        out = []
        for name in self.names:
            own = [row for service, row in heard if service == name]
            total = [sum(row[k] for row in own) for k in range(SERVICE)]
            total[1] = math.sqrt(sum(row[1] * row[1] for row in own))
            total[3] = total[3] / len(own) if own else 0.0
            out.append(total)
        return out

    def run(self, stop: threading.Event) -> None:
        """Decide every minute until ``stop`` is set."""
        while not stop.wait(MINUTE_S):
            self.minute()


def of_prometheus(url: str, queries: Mapping[str, str]) -> Callable[[], list[float]]:
    """What asks a Prometheus server for the six numbers, each a query that gives one.

    Raises:
        ValueError: A query is missing.
    """
    missing = [name for name in QUERIES if name not in queries]
    if missing:
        raise ValueError(f"no query for {', '.join(missing)}")

    def ask(query: str) -> float:
        where = f"{url.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(where, timeout=_PATIENCE_S) as answer:
            found = json.loads(answer.read(_MOST_BYTES))
        return float(found["data"]["result"][0]["value"][1])

    return lambda: [ask(queries[name]) for name in QUERIES]


def serve(controller: Controller, address: tuple[str, int], token: str = "") -> ThreadingHTTPServer:
    """A server for the agents, not started yet: ``POST /report``, ``GET /targets``, ``GET /healthz``."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            if self.path == "/healthz":
                self._answer(200, {"ok": True})
            elif self.path == "/targets" and self._may():
                self._answer(200, {"targets": controller.targets})
            else:
                self._answer(404, {"error": "GET /targets, with the token if one is set"})

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != "/report" or not self._may():
                self._answer(404, {"error": "POST /report, with the token if one is set"})
            elif not length.isdigit() or int(length) > _MOST_BYTES:
                self._answer(413, {"error": f"at most {_MOST_BYTES} bytes"})
            else:
                try:
                    told = json.loads(self.rfile.read(int(length)))
                    controller.hear(str(told["node"]), told["rows"])
                    self._answer(200, {"ok": True})
                except (ValueError, KeyError, TypeError) as error:
                    self._answer(400, {"error": str(error)})

        def _may(self) -> bool:
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return not token or hmac.compare_digest(given.encode(), token.encode())

        def _answer(self, code: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            _log.debug(format, *args)

    return ThreadingHTTPServer(address, Handler)


def main(policy_class: type[Any], words: list[str] | None = None) -> int:
    """The command; see ``--help``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--config",
        type=Path,
        required=True,
        help="JSON: services {name: 1|0}, slo_ms, node_cores, prometheus, queries",
    )
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        config = json.loads(given.config.read_text(encoding="utf-8"))
        measure = of_prometheus(config["prometheus"], config["queries"])
        controller = Controller(
            policy_class, config["services"], float(config["node_cores"]), float(config["slo_ms"]), measure
        )
    except (OSError, ValueError, KeyError) as error:
        print(f"{given.config}: {error}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = serve(controller, ("", given.port), os.environ.get("CONTROLLER_TOKEN", ""))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    controller.run(stop)
    server.shutdown()
    return 0
