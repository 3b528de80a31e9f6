"""The agent of a node: reads the control groups of its pods every 100 ms, decides, and writes their limits.

Needs nothing but Python. Whatever ends it, the limits that were there before come back: at once, or, where it was killed,
when it starts again.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from metamuse.export.runtime.cgroup import (
    Counters,
    Originals,
    cores_of,
    limit_text,
    read_counters,
    read_limit,
    write_limit,
)
from metamuse.export.runtime.pods import from_api, from_file, groups_of
from metamuse.export.runtime.shadow import Comparison
from metamuse.export.runtime.target_client import TargetClient
from metamuse.export.runtime.throttle_engine import ServiceLaw

#: Seconds between two looks at counters, and between two looks at which pods there are.
TICK_S, DISCOVER_S = 0.1, 10.0
_A_MINUTE = 600  # ticks

_log = logging.getLogger(__name__)


@dataclass
class Settings:
    """What the agent is told.

    Attributes:
        root: Where the cgroup v2 hierarchy is mounted.
        state: File for the limits that were there before.
        node_cores: Cores of the node, the most that a service can have.
        slo_ms: The objective of the application's latency.
        n_services: How many services the application has.
        dry_run: Decide and log, and write nothing.
    """

    root: Path
    state: Path
    node_cores: float
    slo_ms: float
    n_services: int
    dry_run: bool = False


@dataclass
class Pod:
    """One pod under control.

    Attributes:
        service: Name of its service.
        group: Its control group.
        law: What decides its limit.
        last: Counters at the last look, None before the first one.
        at: When that was, seconds.
        changed: When its limit was last changed, seconds.
        ticks: Looks in this minute; beside it sums over them.
    """

    service: str
    group: Path
    law: ServiceLaw
    last: Counters | None = None
    at: float = 0.0
    changed: float = 0.0
    ticks: int = 0
    used: float = 0.0
    squares: float = 0.0
    most: float = 0.0
    held: float = 0.0
    limits: float = 0.0
    held_ms: float = 0.0
    writes: int = 0
    told: bool = field(default=False)

    def minute(self) -> list[float]:
        """Mean, deviation and maximum of usage, share of throttled periods, mean limit, ms throttled, changes; reset."""
        n = max(1, self.ticks)
        mean = self.used / n
        row = [
            mean,
            math.sqrt(max(0.0, self.squares / n - mean * mean)),
            self.most,
            min(1.0, self.held / n),
            self.limits / n,
            self.held_ms,
            float(self.writes),
        ]
        self.ticks = self.writes = 0
        self.used = self.squares = self.most = self.held = self.limits = self.held_ms = 0.0
        return row


class Agent:
    """Controls the pods of a node.

    Args:
        policy_class: The class ``Policy`` of the export.
        settings: What it is told.
        discover: Gives the service of every pod uid.
        targets: Where targets come from.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        policy_class: type[Any],
        settings: Settings,
        discover: Callable[[], Mapping[str, str]],
        targets: TargetClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pods: dict[Path, Pod] = {}
        self.ticks = 0
        self._policy_class = policy_class
        self._settings = settings
        self._discover = discover
        self._targets = targets
        self._clock = clock
        self._originals = Originals(settings.state, settings.root)
        self._compared = Comparison()
        self._found: Mapping[str, str] | None = None

    def recover(self) -> int:
        """Give back limits that a process before this one left behind."""
        return self._originals.recover()

    def look_around(self) -> None:
        """Ask which pods there are; :meth:`arrange` has to do with the answer."""
        try:
            self._found = self._discover()
        except (OSError, ValueError, KeyError) as error:
            _log.warning("pods cannot be listed, those known stay: %s", error)

    def arrange(self) -> None:
        """Take in pods that came and drop pods that went, if there is a new answer."""
        services, self._found = self._found, None
        if services is None:
            return
        groups = groups_of(self._settings.root, set(services))
        here = {group: services[uid] for uid, group in groups.items()}
        for group in [group for group in self.pods if group not in here]:
            self._drop(group)
        for group, service in here.items():
            if group not in self.pods:
                self._add(group, service)

    def _add(self, group: Path, service: str) -> None:
        try:
            limit = read_limit(group)
        except OSError as error:
            _log.warning("%s has no CPU limits and is left alone: %s", group.name, error)
            return
        told = self._settings
        law = ServiceLaw(self._policy_class, told.node_cores, told.slo_ms, told.n_services)
        self.pods[group] = Pod(service, group, law, changed=self._clock())
        _log.info("%s is service %s; its limit was %s", group.name, service, limit)

    def _drop(self, group: Path) -> None:
        """A pod is gone, or no longer ours."""
        del self.pods[group]
        if group.is_dir():
            self._originals.give_back(group)
        else:
            self._originals.forget(group)
        _log.info("%s is gone", group.name)

    def tick(self) -> None:
        """Look at all pods once, and set their limits."""
        for pod in list(self.pods.values()):
            try:
                self._control(pod)
            except OSError as error:
                if pod.group.is_dir():
                    self._complain(pod, str(error))
                else:
                    self._drop(pod.group)
        self.ticks += 1
        if self.ticks % _A_MINUTE == 0:
            self._report()

    def _control(self, pod: Pod) -> None:
        counters = read_counters(pod.group)
        now = self._clock()
        if counters is None:  # cut off: its limit stays, and the next look spans both
            self._complain(pod, "its cpu.stat is incomplete")
            return
        last, passed = pod.last, now - pod.at
        pod.last, pod.at = counters, now
        if last is None or passed <= 0.0 or counters.usage_usec < last.usage_usec:
            return
        cores = (counters.usage_usec - last.usage_usec) / (1e6 * passed)
        held = float(max(0, counters.nr_throttled - last.nr_throttled))
        held_ms = max(0, counters.throttled_usec - last.throttled_usec) / 1e3
        before = pod.law.limit
        limit = pod.law.decide(
            cores,
            held,
            float(max(0, counters.nr_periods - last.nr_periods)),
            held_ms,
            1e3 * (now - pod.changed),
            self._targets.target(pod.service),
            float(max(0, counters.nr_bursts - last.nr_bursts)),
        )
        pod.ticks += 1
        pod.used += cores
        pod.squares += cores * cores
        pod.most = max(pod.most, cores)
        pod.held += held
        pod.held_ms += held_ms
        pod.limits += limit
        if limit != before:
            pod.writes += 1
            pod.changed = now
            try:
                self._write(pod, limit)
            except OSError:
                pod.law.limit = before
                raise

    def _write(self, pod: Pod, limit: float) -> None:
        _log.debug("%s: %.5f cores", pod.group.name, limit)
        if not self._settings.dry_run:
            self._originals.keep(pod.group)
            write_limit(pod.group, limit_text(limit))

    def _complain(self, pod: Pod, why: str) -> None:
        if not pod.told:
            pod.told = True
            _log.warning("%s: %s (said once)", pod.group.name, why)

    def _report(self) -> None:
        rows = []
        held = wanted = used = 0.0
        for pod in self.pods.values():
            row = pod.minute()
            rows.append((pod.service, row))
            try:
                actual = read_limit(pod.group)
            except OSError:
                actual = "gone"
            held += min(cores_of(actual), self._settings.node_cores)
            wanted += row[4]
            used += row[0]
            said = {
                "pod": pod.group.name,
                "service": pod.service,
                "dry_run": self._settings.dry_run,
                "used_cores": round(row[0], 4),
                "throttled": round(row[3], 4),
                "wanted_cores": round(row[4], 4),
                "cpu.max": actual,
                "fallback": pod.law.fallback,
            }
            _log.info("minute %s", json.dumps(said))
        self._targets.report(rows)
        if self._settings.dry_run and rows:
            self._compared.add(held, wanted, {"the cores used": used})
            _log.info("shadow %s", json.dumps(asdict(self._compared.report())))

    def run(self, stop: threading.Event) -> None:
        """Until ``stop`` is set; then, or at an error, all limits are given back."""
        threading.Thread(target=self._keep_looking, args=(stop,), daemon=True).start()
        try:
            due = self._clock()
            while not stop.is_set():
                self.arrange()
                self.tick()
                due = max(due + TICK_S, self._clock())  # what was missed is not made up for
                stop.wait(max(0.0, due - self._clock()))
        finally:
            given = self._originals.give_back()
            _log.info("%d limits given back", given)

    def _keep_looking(self, stop: threading.Event) -> None:
        """In a thread of its own, since the answer may take its time."""
        while not stop.is_set():
            self.look_around()
            stop.wait(DISCOVER_S)


def main(policy_class: type[Any], words: list[str] | None = None) -> int:
    """The command; see ``--help``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("/sys/fs/cgroup"), help="the cgroup v2 hierarchy")
    parser.add_argument(
        "--state", type=Path, required=True, help="file for the limits that were there before"
    )
    parser.add_argument("--node-cores", type=float, default=float(os.cpu_count() or 1))
    parser.add_argument("--slo-ms", type=float, required=True, help="objective of the latency")
    parser.add_argument("--services", type=int, required=True, help="services of the application")
    parser.add_argument("--label", default="app", help="label of pods that names their service")
    parser.add_argument("--namespace", default="", help="only pods of this namespace")
    parser.add_argument("--pods", type=Path, help="a JSON file {uid: service} instead of the API server")
    parser.add_argument("--controller", default="", help="http://… of the controller")
    parser.add_argument("--dry-run", action="store_true", help="decide and log, and write nothing")
    parser.add_argument("--verbose", action="store_true", help="log every change of a limit")
    given = parser.parse_args(words)
    level = logging.DEBUG if given.verbose else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    controllers = given.root / "cgroup.controllers"
    if not controllers.is_file() or "cpu" not in controllers.read_text().split():
        print(f"{given.root} is no cgroup v2 hierarchy with the cpu controller", file=sys.stderr)
        return 2
    settings = Settings(
        given.root, given.state, given.node_cores, given.slo_ms, given.services, given.dry_run
    )
    pods, node = given.pods, os.environ.get("NODE_NAME", "")
    label, namespace = given.label, given.namespace
    if pods is None and not node:
        print("set NODE_NAME, or give --pods", file=sys.stderr)
        return 2
    targets = TargetClient(given.controller, node, os.environ.get("CONTROLLER_TOKEN", ""))
    agent = Agent(
        policy_class,
        settings,
        (lambda: from_api(node, label, namespace)) if pods is None else (lambda: from_file(pods)),
        targets,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    recovered = agent.recover()
    if recovered:
        _log.warning("the last agent was killed: %d limits given back", recovered)
    targets.start(stop)
    agent.run(stop)
    return 0
