"""What the agent of a node hears from the controller of the application, and tells it."""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from metamuse.export.runtime.throttle_engine import DEFAULT_TARGET

#: Seconds between two questions, for an answer, and after which an old answer counts no more.
ASK_S, PATIENCE_S, STALE_S = 5.0, 3.0, 180.0
_MOST_BYTES = 1 << 20

_log = logging.getLogger(__name__)


class TargetClient:
    """Targets by service; the default one for all services while the controller cannot be heard.

    Asking happens in a thread of its own, so that the agent never waits for a network.

    Args:
        url: ``http://…`` of the controller; "" for none.
        node: Name of the node.
        token: Secret that the controller wants, "" for none.
        clock: Seconds that never go back.
    """

    def __init__(
        self, url: str, node: str, token: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url.rstrip("/")
        self._node = node
        self._token = token
        self._clock = clock
        self._heard: float | None = None
        self._targets: dict[str, float] = {}
        self._rows: list[tuple[str, list[float]]] | None = None
        self._lost = False
        self._lock = threading.Lock()

    def target(self, service: str) -> float:
        """The target of a service."""
        with self._lock:
            if self._heard is not None and self._clock() - self._heard > STALE_S:
                self._heard = None
                self._targets = {}
                _log.warning(
                    "the controller is silent for %.0f s: all targets are %s", STALE_S, DEFAULT_TARGET
                )
            return self._targets.get(service, DEFAULT_TARGET)

    def report(self, rows: Sequence[tuple[str, list[float]]]) -> None:
        """Have a minute's numbers of all pods, ``(service, seven numbers)``, told to the controller."""
        with self._lock:
            self._rows = list(rows)

    def start(self, stop: threading.Event) -> None:
        """Ask until ``stop`` is set."""
        if self._url:
            threading.Thread(target=self._run, args=(stop,), daemon=True).start()

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.exchange()
            stop.wait(ASK_S)

    def exchange(self) -> bool:
        """Tell what there is to tell, and hear the targets; whether that worked."""
        with self._lock:
            rows, self._rows = self._rows, None
        try:
            if rows is not None:
                self._send("/report", {"node": self._node, "rows": rows})
                rows = None
            answer = self._send("/targets", None)
            targets = {str(name): float(value) for name, value in answer["targets"].items()}
            if not all(0.0 <= value <= 1.0 for value in targets.values()):
                raise ValueError("a target is not in 0..1")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            with self._lock:
                self._rows = self._rows or rows  # told the next time
            if not self._lost:
                _log.warning("the controller cannot be heard: %s", error)
            self._lost = True
            return False
        with self._lock:
            self._targets, self._heard = targets, self._clock()
        if self._lost:
            _log.info("the controller is heard again")
        self._lost = False
        return True

    def _send(self, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data=data)
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read(_MOST_BYTES))
