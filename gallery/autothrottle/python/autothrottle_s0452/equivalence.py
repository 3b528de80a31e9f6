"""Replays golden minutes and periods of CPU control."""

from __future__ import annotations

from typing import Any


def differences(case: dict[str, Any], made: Any) -> str:
    """The first difference between the laws and the golden decisions of a case, "" if there is none.

    ``made`` has ``service(node_cores, slo_ms, n_services)`` and ``application(node_cores, slo_ms, cluster)``.
    """
    n, cores, slo = case["n_services"], case["node_cores"], case["slo_ms"]
    application = made.application(cores, slo, case["cluster"])
    targets = []
    for minute in range(case["minutes"]):
        got = application.decide(
            case["app"][8 * minute : 8 * minute + 8],
            case["services"][7 * n * minute : 7 * n * (minute + 1)],
        )
        want = list(case["targets"][n * minute : n * (minute + 1)])
        if list(got) != want:
            return f"{case['name']}, minute {minute}: targets {list(got)}, in the simulator {want}"
        targets.append(want)
    shown = case["recorded"]
    for i, service in enumerate(shown):
        law = made.service(cores, slo, n)
        for tick in range(case["ticks"]):
            k = tick * len(shown) + i
            got = law.decide(
                case["cores"][k],
                case["held"][k],
                case["periods"][k],
                case["held_ms"][k],
                case["unchanged_ms"][k],
                targets[tick // 600][service],
                case["bursts"][k],
            )
            if got != case["limits"][k]:
                return (
                    f"{case['name']}, service {service}, tick {tick}: {got!r} cores, in the simulator "
                    f"{case['limits'][k]!r}"
                )
    return ""


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
