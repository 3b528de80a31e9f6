"""A Ray cluster on this machine: several of its node processes, each of which can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

#: As small as Ray lets it be, bytes.
_STORE = 80_000_000
#: A node that is gone is known to be dead after five seconds instead of fifteen; one that is slow has time.
_FAST = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 20_000,
    "health_check_failure_threshold": 10,
}
_PORTS = (
    "metrics_agent_port",
    "metrics_export_port",
    "dashboard_agent_listen_port",
    "runtime_env_agent_port",
)
#: Ray gives a node half a minute to start, which a busy machine may need more than.
_TRIES = 4


class RayCluster:
    """A head without processors for tasks and some nodes with one each.

    Args:
        nodes: How many.
    """

    def __init__(self, nodes: int) -> None:
        from ray.cluster_utils import Cluster

        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        self._cluster = _patiently(
            lambda: Cluster(initialize_head=True, head_node_args={**_node(cpus=0), "_system_config": _FAST})
        )
        self.nodes: list[Any] = []
        for _ in range(nodes):
            self.add()

    @property
    def address(self) -> str:
        """``host:port`` of the head."""
        return str(self._cluster.address)

    def add(self) -> None:
        """Start one node more."""
        self.nodes.append(_patiently(lambda: self._cluster.add_node(**_node(cpus=1))))

    def kill(self, node: int) -> None:
        """SIGKILL to a node's own process; what it started ends by itself, as when a machine is lost."""
        os.kill(_pid(self.nodes.pop(node), "raylet"), signal.SIGKILL)

    def kill_all(self) -> None:
        """SIGKILL to every node and to what holds the cluster together."""
        os.kill(_pid(self._cluster.head_node, "gcs_server"), signal.SIGKILL)
        while self.nodes:
            self.kill(0)
        os.kill(_pid(self._cluster.head_node, "raylet"), signal.SIGKILL)

    def shutdown(self) -> None:
        """End what is left."""
        self._cluster.shutdown()


def _node(cpus: int) -> dict[str, Any]:
    """Settings of a node. Ports that it would choose by itself it waits for, too briefly on a busy machine."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in _PORTS]
        for free in sockets:
            free.bind(("", 0))
        ports = {name: free.getsockname()[1] for name, free in zip(_PORTS, sockets, strict=True)}
    return {"num_cpus": cpus, "object_store_memory": _STORE, "include_dashboard": False, **ports}


def _patiently(start: Callable[[], Any]) -> Any:
    for left in reversed(range(_TRIES)):
        try:
            return start()
        except Exception as error:  # Ray raises just that
            if not left or "timed out during startup" not in str(error):
                raise
    raise AssertionError


def _pid(node: Any, process: str) -> int:
    return int(node.all_processes[process][0].process.pid)
