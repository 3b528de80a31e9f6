"""Replays golden wake-ups of soil sensor nodes, and days of their gateway."""

from __future__ import annotations

from typing import Any


def differences(case: dict[str, Any], made: Any) -> str:
    """The first difference to the golden decisions of a case, "" if there is none.

    ``made`` has ``node(*init)`` and ``gateway(nodes, init)``.
    """
    days, _, *costs = case["rest"]
    nodes: dict[int, Any] = {}
    for i in range(len(case["node"])):
        node, tick = case["node"][i], case["tick"][i]
        if node not in nodes:
            nodes[node] = made.node(days, case["stores"][node], *costs)
        got = nodes[node].decide(tick, case["obs"][20 * i : 20 * i + 20])
        want = (case["sleep"][i], bool(case["co2"][i]), case["packets"][i], bool(case["listen"][i]))
        if tuple(got) != want:
            return f"{case['name']}, node {node}, tick {tick}: {tuple(got)}, in the simulator {want}"
    if not len(case["day"]):
        return ""
    n = case["nodes"]
    gateway = made.gateway(n, (days, case["store_j"], *costs))
    for i in range(0, len(case["day"]), n):
        got_all = gateway.decide(case["day"][i], case["net"][8 * i : 8 * (i + n)])
        for node, (order, forwards) in enumerate(got_all):
            want_both = (case["order"][i + node], bool(case["forwards"][i + node]))
            if (order, forwards) != want_both:
                return (
                    f"{case['name']}, day {case['day'][i]}: node {node} is told {(order, forwards)}, "
                    f"in the simulator {want_both}"
                )
    return ""


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
