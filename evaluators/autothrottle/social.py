"""An application with the shape of the social network (the fork with a photo filter): 28 services in 30 pods.

Call graph: the application's sources. Mix, objective, cluster and load: the authors' released configuration.
Core-milliseconds of a visit: a public table of mean CPU use at 250 requests a second (repository ``sinan-local``, mix
5/80/15) over the visit rates that the call graph gives; those below one percent of a core there are assumptions.
All are multiplied by the factor of :mod:`evaluators.autothrottle.calibration`, which also gives variation and sweeps.
"""

from __future__ import annotations

from evaluators.autothrottle.application import UNLIMITED, Application, Phase, Service, Visit, visit
from evaluators.autothrottle.calibration import SOCIAL as C

FILTERS = 3
#: Threads of the photo filter's tensor library: one picture is worked on by all of them.
FILTER_THREADS = 8
#: Share of posts with a picture (calibrated together with the picture's demand; the table gives only their product).
PICTURES = 1.0


def _ms(value: float) -> float:
    return value * C.demand


def _storage(ms: float, cached: float = 0.1) -> Visit:
    return visit("post-storage-service", _ms(ms), visit("post-storage-memcached", _ms(cached)))


_APPEND = visit("compose-post-service", _ms(3.0), visit("compose-post-redis", _ms(0.2)))


def _compose(filter_number: int) -> Visit:
    filtered = Visit(f"media-filter-service-{filter_number}", (Phase(_ms(440.0), FILTER_THREADS),))
    media = visit("media-service", _ms(15.0), filtered, _APPEND)
    text = visit(
        "text-service",
        _ms(8.0),
        (
            visit("url-shorten-service", _ms(1.5), visit("url-shorten-mongodb", _ms(1.0))),
            visit("text-filter-service", _ms(5.0)),
            visit("user-mention-service", _ms(1.5), visit("user-memcached", _ms(0.3))),
        ),
        _APPEND,
    )
    user = visit("user-service", _ms(1.5), visit("user-memcached", _ms(0.3)), _APPEND)
    unique = visit("unique-id-service", _ms(0.8), _APPEND)
    fan_out = visit(
        "write-home-timeline-service",
        _ms(10.0),
        visit("social-graph-service", _ms(2.0), visit("social-graph-redis", _ms(0.5))),
        visit("home-timeline-redis", _ms(2.0)),
    )
    own = visit(
        "write-user-timeline-service",
        _ms(3.0),
        (visit("user-timeline-mongodb", _ms(3.0)), visit("user-timeline-redis", _ms(0.5))),
    )
    upload = Visit(
        "compose-post-service",
        (
            Phase(
                _ms(4.0),
                calls=(
                    visit("post-storage-service", _ms(5.0), visit("post-storage-mongodb", _ms(4.0))),
                    Visit("write-user-timeline-rabbitmq", (Phase(_ms(4.0), sends=(own,)),)),
                    Visit("write-home-timeline-rabbitmq", (Phase(_ms(4.0), sends=(fan_out,)),)),
                ),
            ),
        ),
    )
    return visit("nginx-thrift", _ms(18.0), (media, user, text, unique), upload, after=_ms(6.0))


_READ_HOME = visit(
    "nginx-thrift",
    _ms(8.0),
    visit(
        "home-timeline-service",
        _ms(19.0),
        visit("home-timeline-redis", _ms(0.5)),
        _storage(13.0),
        after=_ms(2.0),
    ),
    after=_ms(17.0),
)
_READ_USER = visit(
    "nginx-thrift",
    _ms(8.0),
    visit(
        "user-timeline-service",
        _ms(4.0),
        visit("user-timeline-redis", _ms(0.5)),
        _storage(13.0),
        after=_ms(1.0),
    ),
    after=_ms(17.0),
)
_READ_OLD = visit(
    "nginx-thrift",
    _ms(8.0),
    visit(
        "user-timeline-service",
        _ms(4.0),
        visit("user-timeline-mongodb", _ms(2.5)),
        visit("post-storage-service", _ms(15.0), visit("post-storage-mongodb", _ms(4.0))),
        after=_ms(1.0),
    ),
    after=_ms(17.0),
)


def _services() -> tuple[Service, ...]:
    calm, usual, wild = C.spread

    def thrift(name: str, variation: float, sweeps: float = 0.0) -> Service:
        return Service(
            name,
            C.workers,
            variation,
            sweep_ms=C.sweep_ms * sweeps,
            sweep_threads=C.sweep_threads,
            sweep_every=C.sweep_every if sweeps else 0.0,
        )

    def store(name: str, variation: float = 0.4, sweeps: float = 0.0) -> Service:
        return Service(
            name, UNLIMITED, variation, C.sweep_ms * sweeps, C.sweep_threads, C.sweep_every if sweeps else 0.0
        )

    return (
        thrift("nginx-thrift", calm, 0.5),
        *(Service(f"media-filter-service-{i + 1}", C.workers, calm) for i in range(FILTERS)),
        thrift("home-timeline-service", usual, 1.0),
        thrift("post-storage-service", wild, 1.0),
        thrift("compose-post-service", usual, 0.5),
        thrift("media-service", usual),
        thrift("user-timeline-service", wild, 0.5),
        thrift("write-home-timeline-service", wild, 0.5),
        thrift("write-user-timeline-service", usual),
        thrift("text-service", usual),
        thrift("text-filter-service", wild),
        thrift("user-service", usual),
        thrift("user-mention-service", usual),
        thrift("url-shorten-service", usual),
        thrift("unique-id-service", calm),
        thrift("social-graph-service", usual),
        store("write-home-timeline-rabbitmq", wild, 0.5),
        store("write-user-timeline-rabbitmq", wild, 0.5),
        store("compose-post-redis"),
        store("home-timeline-redis"),
        store("user-timeline-redis"),
        store("social-graph-redis"),
        store("post-storage-memcached"),
        store("user-memcached"),
        store("post-storage-mongodb", wild, 1.0),
        store("user-timeline-mongodb", wild, 1.0),
        store("url-shorten-mongodb", wild),
        store("social-graph-mongodb", wild),
    )


SOCIAL = Application(
    name="social",
    services=_services(),
    requests=(
        *((0.20 / FILTERS, _compose(i + 1)) for i in range(FILTERS)),
        (0.65, _READ_HOME),
        (0.12, _READ_USER),
        (0.03, _READ_OLD),
    ),
    slo_ms=200.0,
    scale=1.5,
    high=tuple(f"media-filter-service-{i + 1}" for i in range(FILTERS)),
)
