"""An application with the shape of Train-Ticket: 68 services, sequential REST calls of Java servers with thread pools.

Call graph of the search for trips: the application's sources. Mix, objective, cluster and load: the authors' released
configuration. Demands: no table of them is public; they are assumptions, scaled as
:mod:`evaluators.autothrottle.calibration` says.
"""

from __future__ import annotations

from evaluators.autothrottle.application import UNLIMITED, Application, Service, Visit, visit
from evaluators.autothrottle.calibration import TRAIN as C

#: Trips stored between two stations, those of them that run that day, and chains of two seats asked for each.
_STORED, _MATCHING, _SEATS = 5, 2, 2

_JAVA = (
    "travel ticketinfo basic station route order seat train price config assurance food contacts preserve"
    " admin-basic-info admin-order admin-route admin-travel admin-user auth avatar cancel consign consign-price execute"
    " food-map inside-payment news notification order-other payment preserve-other rebook route-plan security"
    " ticket-office travel-plan travel2 user verification-code voucher"
)
_STORES = (
    "account assurance auth config consign consign-price contacts food food-map inside-payment notification order"
    " order-other payment price rebook route security station ticket-office train travel travel2 user voucher"
    " money"
)


def _ms(value: float) -> float:
    return value * C.demand


def _stored(name: str, ms: float, store_ms: float = 0.8) -> Visit:
    """A service that looks something up in its own database."""
    return visit(name, _ms(ms), visit(f"{name}-mongo", _ms(store_ms)), after=_ms(ms / 3))


def _trips() -> Visit:
    station = _stored("station", 2.0)
    route = _stored("route", 3.0, 1.0)
    train = _stored("train", 1.5)
    price = _stored("price", 1.5)
    config = _stored("config", 1.0)
    to_station = visit("ticketinfo", _ms(2.0), visit("basic", _ms(2.0), station))
    ticket = visit(
        "ticketinfo",
        _ms(2.5),
        visit("basic", _ms(4.0), station, station, train, route, price, station, station, after=_ms(1.5)),
    )
    sold = _stored("order", 4.0, 6.0)
    seat = visit(
        "seat",
        _ms(3.0),
        _stored("travel", 1.5),
        sold,
        visit("travel", _ms(1.5), train),
        config,
        after=_ms(1.0),
    )
    trip = [ticket, sold, *([seat] * _SEATS), train]
    return visit(
        "travel", _ms(6.0), to_station, to_station, *([route] * _STORED), *(trip * _MATCHING), after=_ms(4.0)
    )


def _services() -> tuple[Service, ...]:
    calm, usual, wild = C.spread
    shapes = {"route": calm, "station": calm, "order": wild, "seat": wild, "basic": usual}

    def java(name: str) -> Service:
        return Service(name, C.workers, shapes.get(name, usual), C.sweep_ms, C.sweep_threads, C.sweep_every)

    return (
        Service("ui-dashboard", UNLIMITED, calm),
        *map(java, _JAVA.split()),
        *(Service(f"{name}-mongo", UNLIMITED, wild if name == "order" else 0.6) for name in _STORES.split()),
    )


def _preserve() -> Visit:
    contacts = _stored("contacts", 2.0)
    order = _stored("order", 4.0, 4.0)
    ticket = visit(
        "ticketinfo", _ms(2.5), visit("basic", _ms(4.0), _stored("station", 2.0), _stored("train", 1.5))
    )
    seat = visit("seat", _ms(3.0), _stored("order", 4.0, 6.0), _stored("config", 1.0))
    return visit(
        "preserve",
        _ms(5.0),
        visit("security", _ms(2.0), order, visit("order-other", _ms(2.0))),
        contacts,
        visit("travel", _ms(4.0), _stored("route", 3.0, 1.0), _stored("train", 1.5)),
        ticket,
        seat,
        order,
        _stored("assurance", 1.5),
        _stored("food", 1.5),
        visit("notification", _ms(2.0)),
        after=_ms(3.0),
    )


TRAIN = Application(
    name="train",
    services=_services(),
    requests=(
        (0.294, visit("ui-dashboard", _ms(1.0))),
        (0.588, _trips()),
        (0.0295, _stored("assurance", 2.0)),
        (0.0295, visit("food", _ms(2.5), visit("food-map", _ms(2.0), visit("food-map-mongo", _ms(0.8))))),
        (0.0295, _stored("contacts", 2.0)),
        (0.0295, _preserve()),
    ),
    slo_ms=1000.0,
    scale=1.0,
    high=("basic", "order-mongo", "order", "route", "seat", "station", "ticketinfo", "travel"),
)
