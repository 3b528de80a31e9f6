"""What a deployment of soil sensor nodes is: the dataclasses that a deployment file, a set or a site becomes.

A :class:`Scenario` is complete: nodes, hardware, radio, goals, what goes wrong, and the truth (:class:`Field`). Ticks are
ten minutes, energies joules, powers watts, distances metres, moisture m3 m-3, temperature degC, CO2 efflux umol m-2 s-1.

To make one from a deployment file: a :class:`Node` for each place, :func:`Hardware.preset` with what the board differs
in, :class:`Goals` from the words, and the truth from :func:`evaluators.sensing.field.make_field` (synthetic weather at the
latitude) or :func:`evaluators.sensing.field.from_series` (her own records).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

import numpy as np

from evaluators.base import WorkloadError

#: Ticks of ten minutes in an hour and in a day, and seconds in one.
HOUR, DAY, TICK_S = 6, 144, 600.0

#: Soils by name: Ks cm/d, porosity n, beta, wilting s_w, stress s*, field capacity s_fc (Laio et al. 2001).
SOILS: dict[str, tuple[float, float, float, float, float, float]] = {
    "loamy sand": (100.0, 0.42, 12.7, 0.11, 0.31, 0.52),
    "sandy loam": (80.0, 0.43, 13.8, 0.18, 0.46, 0.56),
    "loam": (20.0, 0.45, 14.8, 0.24, 0.57, 0.65),
}
#: Interception in mm by cover (assumed).
COVERS = {"grass": 0.5, "forest": 1.5}
#: Kinds of faults of a sensor (after Ni et al. and Sharma et al.), and how many readings after the onset must have arrived
#: before it can be seen at the base (assumed).
FAULTS = {"stuck": 3, "offset": 12, "drift": 36, "noise": 12, "spike": 6, "out_of_range": 1}
#: What a sensor measures, in the order of the arrays: moisture at 10 cm and at 20 cm, soil temperature, CO2 efflux.
QUANTITIES = ("moisture", "moisture_20", "temperature", "flux")


@dataclass(frozen=True)
class Node:
    """One place with a board.

    Attributes:
        name: Unique in its deployment, such as a barcode.
        x: Metres east of the gateway.
        y: Metres north of the gateway.
        patch: Name of the patch (lawn, planting bed, wood), for plots.
        soil: One of :data:`SOILS`.
        cover: One of :data:`COVERS`.
        sun: Part of the open sky's sunlight that its panel gets.
        store_j: Energy of its own cell or store, None: the hardware's.
    """

    name: str
    x: float = 0.0
    y: float = 0.0
    patch: str = ""
    soil: str = "sandy loam"
    cover: str = "forest"
    sun: float = 1.0
    store_j: float | None = None

    def __post_init__(self) -> None:
        if self.soil not in SOILS:
            raise WorkloadError(
                f"node {self.name}: there is no soil {self.soil}; there are {', '.join(SOILS)}"
            )
        if self.cover not in COVERS:
            raise WorkloadError(f"node {self.name}: the cover is grass or forest, not {self.cover}")
        if not 0.0 <= self.sun <= 1.0:
            raise WorkloadError(f"node {self.name}: sun is a part of the open sky, 0 to 1, not {self.sun}")


@dataclass(frozen=True)
class Hardware:
    """A board with its sensors and its store.

    Attributes:
        sleep_w: Power asleep, radio listening for the network's wake-ups included.
        probe_j: Energy of one wake-up with a reading of all cheap probes (two of moisture, one of temperature).
        co2_j: Energy of one CO2 reading.
        session_j: Energy of opening the radio, whether it gets through or not.
        packet_j: Energy of sending one packet.
        relay_j: Energy of receiving and passing on one packet of another node.
        records_per_packet: Readings in a packet.
        alert_w: Power of listening for rain alerts while asleep.
        store_j: Energy of the cell (primary), or that the store holds (solar), full at the start.
        panel_w: Electrical power of the panel at noon of a clear midsummer day, 0: a primary cell.
        cold: Part of a primary cell that cannot be used per 25 degC below 5 degC.
        restart: Part of the store at which a node that went down comes up again.
        weak: Part of the store below which a relay still answers but cannot forward.
        flash_records: Unsent readings that are kept; older ones are overwritten.
        co2_sensor: Whether there is one.
    """

    sleep_w: float = 30e-6
    probe_j: float = 0.9e-3
    co2_j: float = 0.243
    session_j: float = 0.060
    packet_j: float = 0.012
    relay_j: float = 0.018
    records_per_packet: int = 12
    alert_w: float = 10e-6
    store_j: float = 400.0
    panel_w: float = 0.0
    cold: float = 0.10
    restart: float = 0.2
    weak: float = 0.04
    flash_records: int = 524_288
    co2_sensor: bool = True

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if not value >= 0:
                raise WorkloadError(f"hardware.{f.name} is not negative: {value}")
        if self.store_j <= 0 or self.records_per_packet < 1 or self.flash_records < 1:
            raise WorkloadError("hardware: the store, a packet and the flash hold something")

    @staticmethod
    def preset(name: str, **changes: Any) -> Hardware:
        """``text``: 0.3 mJ a probe reading, as the paper says; ``fitted``: 38.6 mJ, as its two totals ask for.

        Raises:
            WorkloadError: There is no such preset, or a change names no field.
        """
        if name not in PROBE_J:
            raise WorkloadError(f"there is no hardware {name}; there are {', '.join(PROBE_J)}")
        known = {f.name for f in fields(Hardware)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise WorkloadError(f"hardware has no {unknown[0]}; it has {', '.join(sorted(known))}")
        return Hardware(**({"probe_j": 3 * PROBE_J[name]} | changes))


#: Joules of reading one probe, by preset (the two meanings of the paper's section on power).
PROBE_J = {"text": 0.3e-3, "fitted": 38.6e-3}


@dataclass(frozen=True)
class Radio:
    """Links and routes.

    Attributes:
        band: ``900`` or ``2.4`` (GHz): at 2.4 GHz links are worse in rain and humid air.
        range_m: Distance up to which two nodes may hear one another.
        good_h: Mean hours that a link stays good.
        bad_h: Mean hours that it stays bad.
        relays: Whether nodes forward for others; otherwise all reach the gateway.
    """

    band: str = "900"
    range_m: float = 120.0
    good_h: float = 60.0
    bad_h: float = 4.0
    relays: bool = True

    def __post_init__(self) -> None:
        if self.band not in ("900", "2.4"):
            raise WorkloadError(f"radio.band is 900 or 2.4 (GHz), not {self.band}")
        if min(self.range_m, self.good_h, self.bad_h) <= 0:
            raise WorkloadError("radio: range and mean times of links are positive")


@dataclass(frozen=True)
class Goals:
    """What the scientist wants, each the value at which the goal is just met; a loss of 1 is all of them just met.

    Attributes:
        flux: Root mean square error of CO2 efflux, in standard deviations of the place.
        moisture: The same of moisture (mean of both depths).
        temperature: The same of soil temperature.
        seasonal_sum: Relative error of a place's sum of CO2 over the season.
        wetups_missed: Part of the wet-ups that may be missed.
        wetup_h: Hours within which the onset of a wet-up must be seen for it to count.
        wetup_peak: m3 m-3 within which its peak must be seen.
        age_d: Mean age in days of the newest reading at the base.
        fault_d: Days from the onset of a fault (or from a node's death) until it can be seen at the base.
        silent_d: Days of silence after which a node is looked at.
        down: Part of the time that a node may be down.
        lost: Part of the readings that may never arrive.
    """

    flux: float = 0.30
    moisture: float = 0.15
    temperature: float = 0.15
    seasonal_sum: float = 0.10
    wetups_missed: float = 0.20
    wetup_h: float = 3.0
    wetup_peak: float = 0.015
    age_d: float = 1.0
    fault_d: float = 3.0
    silent_d: float = 7.0
    down: float = 0.05
    lost: float = 0.05

    def __post_init__(self) -> None:
        for f in fields(self):
            if not getattr(self, f.name) > 0:
                raise WorkloadError(f"goals.{f.name} is a positive number, not {getattr(self, f.name)}")


@dataclass(frozen=True)
class Fault:
    """A sensor that goes wrong.

    Attributes:
        node: Index of the node.
        kind: One of :data:`FAULTS`.
        quantity: One of :data:`QUANTITIES`.
        day: Days after the start.
        size: Of offset, noise and spikes in the quantity's unit; of drift a day.
    """

    node: int
    kind: str
    quantity: str
    day: float
    size: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise WorkloadError(f"there is no fault {self.kind}; there are {', '.join(FAULTS)}")
        if self.quantity not in QUANTITIES:
            raise WorkloadError(f"there is no quantity {self.quantity}; there are {', '.join(QUANTITIES)}")


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, apart from batteries and links.

    Attributes:
        faults: Of sensors; at most one a node is simulated, the first.
        outages: Days from and to which the gateway is out.
        leaks: Node, days until its seal fails and until the water has killed it.
        visits: Days on which somebody comes: dead nodes get a fresh cell, faults that were seen are repaired.
        alert_missed: Part of the rain alerts that a node which listens does not hear.
        alert_false: False alerts a day.
        alerts: Whether there is anything that sends rain alerts (a gauge, a sentinel node).
    """

    faults: tuple[Fault, ...] = ()
    outages: tuple[tuple[float, float], ...] = ()
    leaks: tuple[tuple[int, float, float], ...] = ()
    visits: tuple[float, ...] = ()
    alert_missed: float = 0.1
    alert_false: float = 0.05
    alerts: bool = True


@dataclass(frozen=True)
class Field:
    """The truth at every node and tick, and the weather over all of them.

    Attributes:
        values: float32[4, N, T]: the :data:`QUANTITIES`.
        rain: float32[T], mm.
        air: float32[T], degC.
        sun: float32[T], of a panel in the open, 1 at noon of a clear midsummer day.
        day_of_year: Of the first tick, 0 to 365; the first tick is midnight.
        known: bool[4, N, T] where the truth is a record and not filled in; None: all of it.
    """

    values: np.ndarray
    rain: np.ndarray
    air: np.ndarray
    sun: np.ndarray
    day_of_year: float = 0.0
    known: np.ndarray | None = None

    @property
    def nodes(self) -> int:
        """N."""
        return int(self.values.shape[1])

    @property
    def ticks(self) -> int:
        """T."""
        return int(self.values.shape[2])


DEFAULT_HARDWARE, DEFAULT_RADIO, DEFAULT_GOALS, DEFAULT_TROUBLE = Hardware(), Radio(), Goals(), Trouble()


@dataclass(frozen=True)
class Scenario:
    """A deployment over a season.

    Attributes:
        name: What results call it.
        nodes: The places, in the order of the field's rows.
        field: The truth.
        hardware: The board, the same everywhere but for ``Node.store_j``.
        radio: Links and routes.
        goals: What the scientist wants.
        trouble: What goes wrong.
        seed: Of readings' noise, links and alerts.
    """

    name: str
    nodes: tuple[Node, ...]
    field: Field
    hardware: Hardware = DEFAULT_HARDWARE
    radio: Radio = DEFAULT_RADIO
    goals: Goals = DEFAULT_GOALS
    trouble: Trouble = DEFAULT_TROUBLE
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.nodes) != self.field.nodes:
            raise WorkloadError(f"{self.name}: {len(self.nodes)} nodes, but a truth for {self.field.nodes}")
        if self.field.ticks < DAY:
            raise WorkloadError(f"{self.name}: a season is at least a day")
        if len({node.name for node in self.nodes}) < len(self.nodes):
            raise WorkloadError(f"{self.name}: two nodes have the same name")

    @property
    def days(self) -> float:
        """Length of the season."""
        return self.field.ticks / DAY

    def on(self, **changes: Any) -> Scenario:
        """The same with other fields."""
        return replace(self, **changes)

    def only(self, kept: Sequence[int]) -> Scenario:
        """The same with some of the nodes, by index; what goes wrong goes with them."""
        place = {int(node): i for i, node in enumerate(kept)}
        trouble = self.trouble
        return replace(
            self,
            nodes=tuple(self.nodes[i] for i in place),
            field=replace(
                self.field,
                values=np.ascontiguousarray(self.field.values[:, list(place)]),
                known=None
                if self.field.known is None
                else np.ascontiguousarray(self.field.known[:, list(place)]),
            ),
            trouble=replace(
                trouble,
                faults=tuple(replace(f, node=place[f.node]) for f in trouble.faults if f.node in place),
                leaks=tuple((place[n], leak, end) for n, leak, end in trouble.leaks if n in place),
            ),
        )

    def digest(self) -> str:
        """A hash of all that decides a result; the name does not."""
        sha = hashlib.sha256()
        for part in (self.hardware, self.radio, self.goals, self.trouble):
            sha.update(repr(astuple(part)).encode())
        sha.update(repr((self.nodes, self.seed, self.field.day_of_year)).encode())
        for array in (self.field.values, self.field.rain, self.field.air, self.field.sun):
            sha.update(np.ascontiguousarray(array).tobytes())
        if self.field.known is not None:
            sha.update(self.field.known.tobytes())
        return sha.hexdigest()[:16]
