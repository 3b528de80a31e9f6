"""The calibrated constants of the applications: frozen.

Each was chosen by ``benchmarks/autothrottle_calibration.py`` against the tuned utilisation targets of the authors'
released configuration (their K8s-CPU and K8s-CPU-Fast baselines), on generated hours and on ``diurnal-2`` alone; the
hours ``diurnal`` and ``noisy`` were not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Calibration:
    """What was calibrated about an application.

    Attributes:
        demand: Factor of all demands.
        spread: Coefficients of variation of calm, usual and wild services.
        workers: Worker threads of a service that has a pool.
        sweep_ms: Core-milliseconds of a housekeeping run.
        sweep_threads: Threads it runs on.
        sweep_every: Mean number of visits between two.
    """

    demand: float
    spread: tuple[float, float, float]
    workers: int
    sweep_ms: float
    sweep_threads: int
    sweep_every: float


SOCIAL = Calibration(
    demand=1.0, spread=(0.4, 0.8, 1.2), workers=512, sweep_ms=60.0, sweep_threads=8, sweep_every=100.0
)
HOTEL = Calibration(
    demand=1.5, spread=(0.4, 0.8, 1.2), workers=1 << 30, sweep_ms=100.0, sweep_threads=8, sweep_every=500.0
)
TRAIN = Calibration(
    demand=2.0, spread=(0.4, 0.8, 1.2), workers=200, sweep_ms=150.0, sweep_threads=8, sweep_every=300.0
)
