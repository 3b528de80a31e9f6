"""Runs an exported policy in a real, local Ray Serve; started by tests/metamuse/export/test_rayserve.py.

Run under an interpreter with ``ray[serve]``, in the folder of a package: two deployments, requests that have to wait, then
none. Prints one JSON line: the most replicas that each deployment came to run, and how many it ran at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from typing import Any

import ray
from ray import serve
from ray.serve.schema import ServeDeploySchema


def deployment(name: str) -> Any:
    """A deployment whose requests take a while, one at a time."""

    @serve.deployment(name=name, max_ongoing_requests=1, ray_actor_options={"num_cpus": 0})
    class Stage:
        def record_autoscaling_stats(self) -> dict[str, float]:
            return {"rps": 1.0, "batch": 1.0}

        async def __call__(self) -> int:
            await asyncio.sleep(0.5)
            return os.getpid()

    return Stage


@serve.deployment(name="entry", ray_actor_options={"num_cpus": 0}, max_ongoing_requests=200)
class Entry:
    """Hands requests on."""

    def __init__(self, prefill: Any, decode: Any) -> None:
        self.stages = {"prefill": prefill, "decode": decode}

    async def __call__(self, name: str) -> int:
        answer: int = await self.stages[name].remote()
        return answer


app = Entry.bind(deployment("prefill").bind(), deployment("decode").bind())


def running() -> dict[str, int]:
    """Running replicas by deployment."""
    found = serve.status().applications["default"].deployments
    return {name: int(one.replica_states.get("RUNNING", 0)) for name, one in found.items()}


def main(package: str) -> int:
    """See the module."""
    folder = os.getcwd()
    here = os.path.dirname(os.path.abspath(__file__))
    environment = {"env_vars": {"PYTHONPATH": f"{folder}:{here}"}}
    ray.init(num_cpus=2, include_dashboard=False, runtime_env=environment, log_to_driver=False)
    serve.start()
    scaled = {
        "min_replicas": 1, "max_replicas": 6, "target_ongoing_requests": 1, "upscale_delay_s": 0, "downscale_delay_s": 0,
        "metrics_interval_s": 0.5, "look_back_period_s": 1,
    }  # fmt: skip
    client = serve.context._get_global_client()
    schema = {
        "applications": [
            {
                "name": "default",
                "route_prefix": None,
                "import_path": "rayserve_driver:app",
                "autoscaling_policy": {
                    "policy_function": f"{package}.autoscaler:Autoscaler",
                    "policy_kwargs": {"config": f"{folder}/scaling.json"},
                },
                "deployments": [
                    {"name": name, "autoscaling_config": scaled} for name in ("prefill", "decode")
                ],
            }
        ]
    }
    client.deploy_apps(ServeDeploySchema.model_validate(schema), _blocking=True)
    handle = serve.get_app_handle("default")
    most: dict[str, int] = {}
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            for future in [handle.remote("prefill") for _ in range(40)]:
                future.result()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    began = time.monotonic()
    last: dict[str, int] = {}
    while time.monotonic() < began + 240 and most.get("prefill", 0) < 4:
        last = running()
        most = {name: max(most.get(name, 0), n) for name, n in last.items()}
        time.sleep(0.5)
    stop.set()
    thread.join(60)
    began = time.monotonic()
    while time.monotonic() < began + 120 and last.get("prefill", 9) > 1:
        last = running()
        time.sleep(0.5)
    print(json.dumps({"most": most, "last": last}))
    serve.shutdown()
    ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
