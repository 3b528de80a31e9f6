"""An application with the shape of DeathStarBench's hotel reservation: 17 services (consul and jaeger left out).

Call graph: the application's sources. Mix, objective, cluster and load: the authors' released configuration. Demands:
no table of them is public; they are assumptions, scaled as :mod:`evaluators.autothrottle.calibration` says.
"""

from __future__ import annotations

from evaluators.autothrottle.application import Application, Service, Visit, visit
from evaluators.autothrottle.calibration import HOTEL as C

#: Share of searches whose looks into memcached all miss (assumption; the data set is small and fits).
_MISS = 0.05


def _search(miss: bool) -> Visit:
    def looked_up(name: str, cache: str) -> tuple[Visit, ...]:
        cached = visit(f"memcached-{cache}", 0.15 * C.demand)
        return (cached, visit(f"mongodb-{name}", 1.2 * C.demand)) if miss else (cached,)

    rate = visit("rate", 1.2 * C.demand, *looked_up("rate", "rate"))
    geo = visit("geo", 1.0 * C.demand)
    search = visit("search", 0.8 * C.demand, geo, rate, after=0.3 * C.demand)
    reservation = visit("reservation", 1.4 * C.demand, *looked_up("reservation", "reserve"))
    profile = visit("profile", 1.0 * C.demand, *looked_up("profile", "profile"))
    return visit("frontend", 1.2 * C.demand, search, reservation, profile, after=0.5 * C.demand)


def _go(name: str, variation: float) -> Service:
    """A Go server: a goroutine for each call; collects garbage on a quarter of the cores at once."""
    return Service(
        name,
        variation=variation,
        sweep_ms=C.sweep_ms,
        sweep_threads=C.sweep_threads,
        sweep_every=C.sweep_every,
    )


_RECOMMEND = visit(
    "frontend",
    1.0 * C.demand,
    visit("recommendation", 0.8 * C.demand),
    visit("profile", 0.9 * C.demand, visit("memcached-profile", 0.15 * C.demand)),
    after=0.3 * C.demand,
)
_RESERVE = visit(
    "frontend",
    1.0 * C.demand,
    visit("user", 0.6 * C.demand),
    visit(
        "reservation",
        1.4 * C.demand,
        visit("memcached-reserve", 0.15 * C.demand),
        visit("mongodb-reservation", 1.8 * C.demand),
    ),
)
_LOGIN = visit("frontend", 0.8 * C.demand, visit("user", 0.6 * C.demand))

HOTEL = Application(
    name="hotel",
    services=(
        *(_go(n, C.spread[0]) for n in ("frontend", "search", "user")),
        *(_go(n, C.spread[1]) for n in ("geo", "rate", "recommendation")),
        *(_go(n, C.spread[2]) for n in ("profile", "reservation")),
        *(Service(f"memcached-{n}", variation=0.4) for n in ("profile", "rate", "reserve")),
        *(
            Service(f"mongodb-{n}", variation=C.spread[2])
            for n in ("geo", "profile", "rate", "recommendation", "reservation", "user")
        ),
    ),
    requests=(
        (0.60 * (1 - _MISS), _search(miss=False)),
        (0.60 * _MISS, _search(miss=True)),
        (0.39, _RECOMMEND),
        (0.005, _RESERVE),
        (0.005, _LOGIN),
    ),
    slo_ms=100.0,
    scale=10.0,
    high=("frontend", "geo", "profile", "rate", "reservation", "search"),
)
