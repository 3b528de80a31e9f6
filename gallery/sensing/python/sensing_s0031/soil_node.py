"""A soil sensor node around a policy: what it does at each wake-up, and what the gateway tells the nodes once a day."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Sequence
from typing import Any

#: Numbers that a policy is shown at a wake-up, and those of a node that the gateway is shown.
OBS, NET = 20, 8
#: Longest sleep in ticks of ten minutes, and most packets of a session.
MOST_SLEEP, MOST_PACKETS = 1008, 4096

#: (MicroPython knows no other form.) What a node does: ticks to sleep; read CO2 now; packets to send now (0: radio off, negative: newest first); be woken by rain.
Action = namedtuple("Action", ["sleep", "co2", "packets", "listen"])


class SoilNode:
    """Decides for one node.

    Args:
        policy_class: The class ``Policy`` of the export.
        season_days: Days until somebody comes.
        store_j: Joules in the full store.
        sleep_w: Watts asleep.
        probe_j: Joules of a wake-up with its probe readings.
        co2_j: Joules of a CO2 reading; 0 if there is no sensor.
        session_j: Joules of opening the radio.
        packet_j: Joules of a packet of 12 readings.
        panel_w: Watts of the panel at noon in midsummer; 0 if there is none.
        strict: Raise what the policy raises instead of falling back.

    Attributes:
        fallback: Why the policy is asked no more, None while it is. Since then the node wakes every 20 minutes, reads CO2
            every three hours and sends once a day, or each as much less often as its store for the season asks for.

    Raises:
        ValueError: A number makes no sense.
    """

    def __init__(
        self,
        policy_class: Any,
        season_days: float,
        store_j: float,
        sleep_w: float,
        probe_j: float,
        co2_j: float,
        session_j: float,
        packet_j: float,
        panel_w: float,
        strict: bool = False,
    ) -> None:
        costs = (sleep_w, probe_j, co2_j, session_j, packet_j, panel_w)
        if not (season_days > 0.0 and store_j > 0.0 and all(0.0 <= x < 1e12 for x in costs)):
            raise ValueError("days and joules are positive, other numbers not negative")
        array = getattr(policy_class, "rt__array", list)
        self.strict = strict
        self.fallback: str | None = None
        self._obs: Any = array([0.0] * OBS)
        spare = store_j / season_days - 86400.0 * sleep_w
        if panel_w > 0.0:  # a store that the sun fills is to last a week
            spare = store_j / 7.0 - 86400.0 * sleep_w
        self._sleep = _apart(probe_j + packet_j / 12.0, 0.4 * spare, 2)
        self._co2_apart = _apart(co2_j, 0.4 * spare, 18) if co2_j > 0.0 else 0
        self._radio_apart = _apart(session_j, 0.2 * spare, 144)
        self._co2_at = self._radio_at = -MOST_SLEEP
        self.policy = policy_class(
            float(season_days), float(store_j), float(sleep_w), float(probe_j),
            float(co2_j), float(session_j), float(packet_j), float(panel_w),
        )  # fmt: skip
        self._listen = getattr(self.policy, "listen", None)

    def decide(self, tick: int, obs: Sequence[float]) -> Any:
        """What the node does now, an :data:`Action`.

        Args:
            tick: Tens of minutes since the start of the season.
            obs: Twenty numbers, see the README. If one is not finite, the policy is not asked and the fallback decides.

        Raises:
            ValueError: There are more or fewer numbers.
        """
        if len(obs) != OBS:
            raise ValueError("obs has 20 numbers")
        finite = True
        for i in range(OBS):
            self._obs[i] = float(obs[i])
            finite = finite and self._obs[i] - self._obs[i] == 0.0
        action = None
        if finite and self.fallback is None:
            try:
                action = self._asked(tick)
            except Exception as error:
                if self.strict:
                    raise
                self.fallback = type(error).__name__ + ": " + str(error)
        if action is None:
            action = Action(
                self._sleep,
                self._co2_apart > 0 and tick - self._co2_at >= self._co2_apart,
                MOST_PACKETS if tick - self._radio_at >= self._radio_apart else 0,
                False,
            )
        if action.co2:
            self._co2_at = tick
        if action.packets:
            self._radio_at = tick
        return action

    def _asked(self, tick: int) -> Any:
        sleep = int(self.policy.wake(tick, self._obs))
        if not 1 <= sleep <= MOST_SLEEP:
            raise ValueError("wake() is " + str(sleep) + ", it must be 1 to 1008 ticks of sleep")
        co2 = bool(self.policy.co2())
        packets = int(self.policy.packets())
        if not -MOST_PACKETS <= packets <= MOST_PACKETS:
            raise ValueError("packets() is " + str(packets) + ", it must be -4096 to 4096")
        return Action(sleep, co2, packets, self._listen is not None and bool(self._listen()))


def _apart(joules: float, spare: float, least: int) -> int:
    """Ticks between what costs so many joules, if so many a day are there for it."""
    if not 144.0 * joules < MOST_SLEEP * spare:
        return MOST_SLEEP
    return max(least, math.ceil(144.0 * joules / spare))


class Gateway:
    """Tells every node a number, and says who may relay, once a day.

    Args:
        policy_class: As above, with ``gateway`` or ``forwards``.
        nodes: How many there are.
        init: The eight numbers that a node is made with.
        strict: Raise what the policy raises instead of falling back.

    Attributes:
        fallback: Why the policy is asked no more, None while it is. Since then all are told 0 and may relay.
    """

    def __init__(self, policy_class: Any, nodes: int, init: Sequence[float], strict: bool = False) -> None:
        array = getattr(policy_class, "rt__array", list)
        self.strict = strict
        self.fallback: str | None = None
        self._nodes = nodes
        self._net: Any = array([0.0] * (NET * nodes))
        self.policy = policy_class(*[float(x) for x in init])
        self._gateway = getattr(self.policy, "gateway", None)
        self._forwards = getattr(self.policy, "forwards", None)

    def decide(self, day: int, net: Sequence[float]) -> list[tuple[float, bool]]:
        """For every node the number it is told (its ``obs[16]`` from the next session on), and whether it may relay.

        Args:
            day: Days since the start of the season.
            net: Eight numbers a node, see the README.

        Raises:
            ValueError: There are more or fewer numbers.
        """
        if len(net) != len(self._net):
            raise ValueError("net has 8 numbers for each node")
        finite = True
        for i in range(len(net)):
            self._net[i] = float(net[i])
            finite = finite and self._net[i] - self._net[i] == 0.0
        if finite and self.fallback is None:
            try:
                return [self._told(day, node) for node in range(self._nodes)]
            except Exception as error:
                if self.strict:
                    raise
                self.fallback = type(error).__name__ + ": " + str(error)
        return [(0.0, True)] * self._nodes

    def _told(self, day: int, node: int) -> tuple[float, bool]:
        order = 0.0 if self._gateway is None else float(self._gateway(day, node, self._net))
        if not abs(order) < 1e9:
            order = 0.0
        return order, self._forwards is None or bool(self._forwards(node))
