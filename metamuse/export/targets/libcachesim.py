"""``target=libcachesim``: a module for the hooks of libcachesim's ``PluginCache``."""

from __future__ import annotations

from metamuse.export.base import Material, runtime_text
from metamuse.export.targets.python import package_files

_INIT = '''"""{title}."""

from .libcachesim_plugin import Hooked, plugin_cache
from .policy import Policy

#: Remembered objects that are cached no more, as a multiple of the cached ones.
GHOSTS = {ghosts}


def cache(cache_size, max_objects=None, **options):
    """A ``libcachesim.PluginCache`` with the policy; see :func:`plugin_cache` for the arguments."""
    return plugin_cache(Policy, GHOSTS, cache_size, max_objects, **options)


__all__ = ["GHOSTS", "Hooked", "Policy", "cache", "plugin_cache"]
'''

#: Takes the place of the engine in the comparison: libcachesim serves the requests.
_MADE = '''

class _Requests:
    """Golden requests, served by libcachesim."""

    def __init__(self, capacity, max_objects, on_evict):
        import libcachesim

        from . import cache

        self.cache = cache(capacity, max_objects, on_evict=on_evict, hashpower=16)
        self.engine = self.cache.policy
        self.asked = libcachesim.Request()

    def request(self, key, hashed, size):
        self.asked.obj_id, self.asked.obj_size = key, size
        if self.cache.get(self.asked):
            return HIT
        too_large = size > self.engine.capacity
        return STORED if too_large or self.engine.holds(key) else REFUSED


def made(capacity, max_objects, on_evict, sizes):
    """A cache of libcachesim."""
    return _Requests(capacity, max_objects, on_evict)
'''


class LibcachesimExporter:
    """See :class:`metamuse.export.base.Exporter`."""

    name = "libcachesim"
    summary = "the hooks of libcachesim's PluginCache, to compare the policy with others there"
    problems = ("cache",)
    requires = ("libcachesim>=0.3.5",)

    def usage(self, problem: str) -> str:
        return """    import libcachesim
    from {package} import cache

    reader = libcachesim.TraceReader(trace, libcachesim.TraceType.ORACLE_GENERAL_TRACE, reader_params)
    print(cache(cache_size=2**30, max_objects=500_000).process_trace(reader))   # object and byte miss ratio

libcachesim (GPL-3.0) is installed by you (`pip install libcachesim`); nothing of it is in this package.
"""

    def assumptions(self, problem: str) -> list[str]:
        return [
            "Objects keep the size with which they were stored, as everywhere in libcachesim.",
            "`max_objects` is at least the number of objects that fit; the policy's memory is allotted for them.",
            "Made for version 0.3.5 of libcachesim, whose hooks and plug-in admissioner it uses.",
        ]

    def fallback(self, problem: str) -> str:
        return "Here for measuring only: an error of the policy is raised, and nothing takes over."

    def files(self, material: Material) -> dict[str, str]:
        package = material.package
        files = package_files(material)
        files[f"{package}/__init__.py"] = _INIT.format(title=material.title, **material.facts)
        files[f"{package}/libcachesim_plugin.py"] = runtime_text("libcachesim_plugin.py")
        files[f"{package}/equivalence.py"] = runtime_text("equivalence_cache.py") + _MADE
        return files


EXPORTER = LibcachesimExporter()
