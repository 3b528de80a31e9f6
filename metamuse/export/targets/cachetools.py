"""``target=cachetools``: a :class:`cachetools.Cache` with the policy."""

from __future__ import annotations

from metamuse.export.base import Material, runtime_text
from metamuse.export.targets.python import package_files

_INIT = '''"""{title}."""

from .policy import Policy
from .policy_cache import PolicyCache


class Cache(PolicyCache):
    """{title}; see :class:`{package}.policy_cache.PolicyCache`."""

    policy_class = Policy
    ghosts = {ghosts}
    takes_sizes = {takes_sizes}


__all__ = ["Cache", "Policy", "PolicyCache"]
'''

#: Takes the place of the engine in the comparison: the cache itself is what is compared.
_MADE = '''

class _Requests:
    """Golden requests, served as by a program: look up, and store what is missing."""

    def __init__(self, capacity, max_objects, on_evict, sizes):
        from . import Cache

        class Told(Cache):
            def _left(self, key):
                if key in self._values:
                    on_evict(key)
                super()._left(key)

        by_value = (lambda size: size) if sizes else None
        self.cache = Told(capacity, by_value, max_objects=max_objects, strict=True)
        self.cache._engine.smallest = 1

    def request(self, key, hashed, size):
        cache = self.cache
        try:
            cache[key]
            return HIT
        except KeyError:
            pass
        refused = cache.refused
        try:
            cache[key] = size
        except ValueError:
            cache._engine.now += 1  # the simulator counts it
            return STORED
        return REFUSED if cache.refused > refused else STORED


def made(capacity, max_objects, on_evict, sizes):
    """A cache whose errors are raised."""
    return _Requests(capacity, max_objects, on_evict, sizes)
'''


class CachetoolsExporter:
    """See :class:`metamuse.export.base.Exporter`."""

    name = "cachetools"
    summary = "a cachetools.Cache: hashable keys, getsizeof, @cached"
    problems = ("cache",)
    requires = ("cachetools>=5",)

    def usage(self, problem: str) -> str:
        return """    import threading

    from cachetools import cached
    from {package} import Cache

    @cached(Cache(maxsize=1000), lock=threading.Lock())
    def load(user): ...

    pages = Cache(maxsize=512 * 2**20, getsizeof=len, max_objects=200_000)   # bytes
"""

    def assumptions(self, problem: str) -> list[str]:
        return [
            "Not thread-safe, as all caches of cachetools: share it under a lock.",
            "Sizes are whole numbers; `maxsize`, sizes and the number of requests stay below 2^53.",
            "The policy's memory is allotted for `max_objects` values when the cache is made.",
            "A policy that filters admissions may refuse a value: it is then not stored, without an error (`refused` "
            "counts them).",
            "`hash(key)` is what the policy sees of a key; for texts it differs between processes unless `key_hash` is given.",
        ]

    def fallback(self, problem: str) -> str:
        return (
            "If the policy raises an error or names what it may not, FIFO takes over for good, an error is logged once, "
            "and `Cache.fallback` holds the reason: watch it."
        )

    def files(self, material: Material) -> dict[str, str]:
        package = material.package
        files = package_files(material)
        takes_sizes = not material.refused or any("sizes" in case.columns for case in material.golden)
        facts = dict(material.facts) | {"takes_sizes": takes_sizes}
        files[f"{package}/__init__.py"] = _INIT.format(title=material.title, package=package, **facts)
        files[f"{package}/policy_cache.py"] = runtime_text("policy_cache.py")
        files[f"{package}/equivalence.py"] = runtime_text("equivalence_cache.py") + _MADE
        return files


EXPORTER = CachetoolsExporter()
