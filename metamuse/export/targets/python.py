"""``target=python``: plain modules that need nothing but Python."""

from __future__ import annotations

from metamuse.export.base import Material, runtime_of, runtime_text
from metamuse.export.kinds import UntranslatableError
from metamuse.export.python_module import python_module
from metamuse.export.python_whole import language_files, whole_module
from metamuse.export.texts import FALLBACK, SHOWN

#: The test script; it runs in the package's folder and needs the standard library only.
TEST = '''"""Whether this package decides as the policy did in the simulator: run me, or let pytest do it."""

import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from {package}.equivalence import differences, made  # noqa: E402
from {package}.golden import read  # noqa: E402


def test_decisions():
    for case in read(os.path.join(HERE, "golden.gz")):
        assert not (found := differences(case, made)), found


def main():
    decisions, seconds = 0, 0.0
    for case in read(os.path.join(HERE, "golden.gz")):
        began = time.perf_counter()
        found = differences(case, made)
        seconds += time.perf_counter() - began
        if found:
            print(found)
            return 1
        decisions += case["decisions"]
    print(json.dumps({{"decisions": decisions, "seconds": seconds}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''

_MADE = {
    "cache": '''

def made(capacity, max_objects, on_evict, sizes):
    """A cache as in the simulator, whose errors are raised."""
    from .cache_engine import Engine
    from .policy import Policy

    return Engine(Policy, capacity, max_objects, {ghosts}, on_evict, smallest=1, strict=True)
''',
    "autothrottle": '''

class made:
    """Laws as in the simulator, whose errors are raised."""

    @staticmethod
    def service(node_cores, slo_ms, n_services):
        from .policy import Policy
        from .throttle_engine import ServiceLaw

        return ServiceLaw(Policy, node_cores, slo_ms, n_services, strict=True)

    @staticmethod
    def application(node_cores, slo_ms, cluster):
        from .policy import Policy
        from .throttle_engine import ApplicationLaw

        return ApplicationLaw(Policy, node_cores, slo_ms, cluster, strict=True)
''',
    "dex": '''

def made(thread, threads, cpus, height):
    """A thread whose errors are raised."""
    from .dex_engine import Thread
    from .policy import Policy

    return Thread(Policy, thread, threads, cpus, height, strict=True)
''',
    "opscale": '''

def made(interval, ttft_slo, tbt_slo, prof):
    """A scaler whose errors are raised."""
    from .policy import Policy
    from .scaling_engine import Scaler

    return Scaler(Policy, interval, ttft_slo, tbt_slo, prof, strict=True)
''',
    "sensing": '''

class made:
    """Nodes and a gateway as in the simulator, whose errors are raised."""

    @staticmethod
    def node(*init):
        from .policy import Policy
        from .soil_node import SoilNode

        return SoilNode(Policy, *init, strict=True)

    @staticmethod
    def gateway(nodes, init):
        from .policy import Policy
        from .soil_node import Gateway

        return Gateway(Policy, nodes, init, strict=True)
''',
    "binpacking": '''

def made(capacity):
    """A packer whose errors are raised."""
    from .packer import Packer
    from .policy import Policy

    return Packer(Policy, capacity, strict=True)
''',
}

_INIT = {
    "cache": """from .cache_engine import HIT, REFUSED, STORED, TOO_LARGE, Engine
from .policy import Policy

#: Remembered objects that are cached no more, as a multiple of the cached ones.
GHOSTS = {ghosts}

__all__ = ["GHOSTS", "HIT", "REFUSED", "STORED", "TOO_LARGE", "Engine", "Policy"]
""",
    "autothrottle": """from .policy import Policy
from .throttle_engine import DEFAULT_TARGET, ApplicationLaw, ServiceLaw

__all__ = ["DEFAULT_TARGET", "ApplicationLaw", "Policy", "ServiceLaw"]
""",
    "dex": """from .dex_engine import ADMIT, BYPASS, INSERT, LOOKUP, OFFLOAD, SCAN, UPDATE, Thread
from .dex_shadow import DexShadow
from .policy import Policy

__all__ = ["ADMIT", "BYPASS", "INSERT", "LOOKUP", "OFFLOAD", "SCAN", "UPDATE", "DexShadow", "Policy", "Thread"]
""",
    "opscale": """from .policy import Policy
from .scaling_engine import Scaler, Wanted

__all__ = ["Policy", "Scaler", "Wanted"]
""",
    "sensing": """from .policy import Policy
from .soil_node import Action, Gateway, SoilNode

__all__ = ["Action", "Gateway", "Policy", "SoilNode"]
""",
    "binpacking": """from .packer import Packer
from .policy import Policy

__all__ = ["Packer", "Policy"]
""",
}

_SCHEDULER = '''"""An example: the packing policy as the placement hook of a virtual machine scheduler.

Hosts are bins and machines are items; what is packed is the resource that runs out first, in whole units (MiB of memory,
thousandths of a core). A placement is for good, as in the workloads on which the policy was found: machines that leave
free their host for the fleet's own bookkeeping, not for this policy, which never sees a bin grow again.
"""

from {package} import Packer, Policy


class Placement:
    """Names the host of every new machine.

    Args:
        host_capacity: Units of a host.
        start_host: Called when the policy wants another host; returns its name.
    """

    def __init__(self, host_capacity, start_host):
        self.packer = Packer(Policy, host_capacity)
        self.start_host = start_host
        self.hosts = []

    def place(self, demand):
        """The host of a machine with that demand, 1..host_capacity."""
        at = self.packer.pack(demand)
        while at >= len(self.hosts):
            self.hosts.append(self.start_host())
        return self.hosts[at]


if __name__ == "__main__":
    names = iter(range(1, 1000))
    placement = Placement(host_capacity=256, start_host=lambda: f"host-{{next(names)}}")
    for demand in (96, 64, 128, 32, 160, 96, 48, 200):
        print(f"{{demand:4d}} GiB -> {{placement.place(demand)}}")
'''


def package_files(material: Material) -> dict[str, str]:
    """The package of a Python target: the policy, and the modules around it."""
    package, facts = material.package, material.facts
    heading = f"{material.title}.\n\nWritten by MetaMuse; decides as the policy did in the simulator."
    problem = material.problem
    try:
        policy = {"policy.py": python_module(material.program, material.inference, material.bounds, heading)}
    except UntranslatableError:  # it computes with whole arrays
        text = whole_module(material.program, material.compiled, heading)
        policy = {"policy.py": text, **language_files()}
    equivalence = runtime_text(f"equivalence_{problem}.py") + _MADE[problem].format(**facts)
    return {
        f"{package}/__init__.py": f'"""{material.title}."""\n\n' + _INIT[problem].format(**facts),
        **{f"{package}/{name}": text for name, text in policy.items()},
        **{f"{package}/{name}.py": runtime_text(f"{name}.py") for name in runtime_of(problem)},
        f"{package}/equivalence.py": equivalence,
        "test_equivalence.py": TEST.format(package=package),
    }


class PythonExporter:
    """See :class:`metamuse.export.base.Exporter`."""

    name = "python"
    summary = "plain Python modules without dependencies"
    problems: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

    def usage(self, problem: str) -> str:
        return {
            "cache": """    from {package} import GHOSTS, HIT, Engine, Policy

    values = {{}}
    engine = Engine(Policy, capacity=1000, max_objects=1000, ghosts=GHOSTS, on_evict=values.pop)
    if engine.request(key, hash(key) & (2**63 - 1), size=1) == HIT: ...

`request` serves one lookup and, on a miss, the insertion that follows it; `on_evict` hears the key of every object that
leaves. Always give the same hash for a key.
""",
            "binpacking": """    from {package} import Packer, Policy

    packer = Packer(Policy, capacity=100)
    bin = packer.pack(37)      # the number of the bin, for good

`vm_scheduler.py` shows the policy as the placement hook of a scheduler.
""",
            "autothrottle": """    from {package} import ApplicationLaw, Policy, ServiceLaw

    law = ServiceLaw(Policy, node_cores=32, slo_ms=200, n_services=28)   # one for each control group
    cores = law.decide(cores_used, throttled, periods, throttled_ms, unchanged_ms, target)   # every 100 ms

    application = ApplicationLaw(Policy, node_cores=32, slo_ms=200, cluster=cluster)         # one for the application
    targets = application.decide(app, services)                                              # every minute

For a cluster take `target=kubernetes`, which has all that stands around these two.
""",
            "opscale": """    from {package} import Policy, Scaler

    scaler = Scaler(Policy, interval=2.0, ttft_slo=1.5, tbt_slo=0.05, prof=prof)
    wanted = scaler.decide(t, glob, obs)          # every interval
    scale("prefill", wanted[0].replicas)

"""
            + SHOWN["opscale"],
            "dex": """    from {package} import OFFLOAD, Policy, Thread

    thread = Thread(Policy, thread=0, threads=144, cpus=4, height=6)      # one for each compute thread
    action, word = thread.on_miss(level, op, word, now, full, may_offload, seen)

`DexShadow` runs the policy beside the one in charge. In the tree itself you want `target=dex` (C++) or `target=c`.

"""
            + SHOWN["dex"],
            "sensing": """    from {package} import Gateway, Policy, SoilNode

    board = dict(sleep_w=3e-5, probe_j=0.0009, co2_j=0.243, session_j=0.06, packet_j=0.012, panel_w=0.0)
    node = SoilNode(Policy, season_days=60, store_j=240.0, **board)
    action = node.decide(tick, obs)        # at each wake-up: sleep, co2, packets, listen

For a board take `target=node`. If the policy has `gateway` or `forwards`: `Gateway(Policy, nodes, init).decide(day, net)`, daily.

"""
            + SHOWN["sensing"],
        }[problem]

    def assumptions(self, problem: str) -> list[str]:
        said = {
            "cache": [
                "One thread at a time: put a lock around `request` and `remove`.",
                "Sizes are whole numbers; capacity, sizes and the number of requests stay below 2^53.",
                "The policy's memory is allotted for `max_objects` objects when the cache is made.",
            ],
            "binpacking": [
                "One thread at a time.",
                "Sizes are whole numbers in 1..capacity, and the capacity stays below 2^53.",
                "An item stays where it was packed; bins never empty again.",
            ],
            "autothrottle": [
                "One thread at a time for one law; laws share nothing.",
                "`ServiceLaw.decide` is called every 100 ms (the CFS period), `ApplicationLaw.decide` every minute.",
            ],
            "dex": [
                "One thread at a time for one `Thread`; they share nothing but what is handed over.",
                "Times are µs of a system like the paper's; `seen` is kept as the README says.",
            ],
            "opscale": [
                "One thread at a time.",
                "`decide` is called every `interval` seconds; profiles and load resemble those that it was found with.",
            ],
            "sensing": [
                "One thread at a time; a node and a gateway share nothing.",
                "`decide` is called at each wake-up, after the probes were read; joules and watts are those of the board.",
                "An action that the store cannot pay for is left out by the caller, as in the simulator.",
            ],
        }
        return said[problem]

    def fallback(self, problem: str) -> str:
        return (
            f"If the policy raises an error or names what it may not, {FALLBACK[problem]} takes over for good, an error is logged once, and the "
            "attribute `fallback` holds the reason: watch it."
        )

    def files(self, material: Material) -> dict[str, str]:
        files = package_files(material)
        if material.problem == "binpacking":
            files["vm_scheduler.py"] = _SCHEDULER.format(package=material.package)
        return files


EXPORTER = PythonExporter()
