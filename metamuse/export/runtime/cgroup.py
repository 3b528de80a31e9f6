"""CPU counters and limits of control groups (cgroup v2), and the limits that were there before anyone changed them."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

#: CFS period in microseconds, and the kernel's least quota.
PERIOD_US, LEAST_US = 100_000, 1_000

_NEEDED = ("usage_usec", "nr_periods", "nr_throttled", "throttled_usec")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counters:
    """What ``cpu.stat`` counts.

    Attributes:
        usage_usec: CPU time used, microseconds.
        nr_periods: Periods in which the group was active.
        nr_throttled: Periods that ended throttled.
        throttled_usec: Time throttled, microseconds.
        nr_bursts: Periods that used more than the quota; 0 where the kernel does not count them.
    """

    usage_usec: int
    nr_periods: int
    nr_throttled: int
    throttled_usec: int
    nr_bursts: int = 0


def parse_counters(text: str) -> Counters | None:
    """The counters of a ``cpu.stat``; None if it is cut off, or of a group without the cpu controller."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if value.strip().isdigit():
            found[name] = int(value)
    if not all(name in found for name in _NEEDED) or not text.endswith("\n"):
        return None
    usage, periods, throttled, throttled_us = (found[name] for name in _NEEDED)
    return Counters(usage, periods, throttled, throttled_us, found.get("nr_bursts", 0))


def read_counters(group: Path) -> Counters | None:
    """The counters of a group; see :func:`parse_counters`.

    Raises:
        OSError: The group is gone.
    """
    return parse_counters((group / "cpu.stat").read_text(encoding="ascii", errors="replace"))


def read_limit(group: Path) -> str:
    """What ``cpu.max`` says.

    Raises:
        OSError: The group is gone, or has no cpu controller.
    """
    return (group / "cpu.max").read_text(encoding="ascii").strip()


def write_limit(group: Path, text: str) -> None:
    """Write ``cpu.max``.

    Raises:
        OSError: The group is gone, or may not be written.
    """
    with open(group / "cpu.max", "w", encoding="ascii") as file:
        file.write(text)


def limit_text(cores: float) -> str:
    """A limit in cores as ``cpu.max`` takes it."""
    return f"{max(LEAST_US, int(cores * PERIOD_US))} {PERIOD_US}"


def cores_of(text: str) -> float:
    """A ``cpu.max`` in cores; infinity where there is no limit."""
    quota, _, period = text.partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else float("inf")


class Originals:
    """The limits that groups had before, kept in a file until they are given back.

    The file is written, and on the disk, before the first limit of a group is; so whoever finds it at a start knows that
    the last process did not end properly, and gives the limits back.

    Args:
        file: Where they are kept.
        root: Groups elsewhere are not touched, whatever the file says.
    """

    def __init__(self, file: Path, root: Path) -> None:
        self._file = file
        self._root = root
        self._kept: dict[str, tuple[str, int]] = {}

    def recover(self) -> int:
        """Give back what a process that was killed left behind; how many limits that were."""
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            self._kept = {str(g): (str(text), int(inode)) for g, (text, inode) in found.items()}
        except FileNotFoundError:
            return 0
        except (ValueError, TypeError, AttributeError):
            _log.error("%s cannot be read; limits set before are not given back", self._file)
            self._file.replace(self._file.with_suffix(".unreadable"))
            return 0
        return self.give_back()

    def keep(self, group: Path) -> None:
        """Note the limit of a group, unless it is noted already.

        Raises:
            OSError: The group is gone, or the file cannot be written: then its limit must not be changed.
        """
        name = str(group)
        if name not in self._kept:
            self._kept[name] = (read_limit(group), group.stat().st_ino)
            try:
                self._save()
            except OSError:
                del self._kept[name]
                raise

    def forget(self, group: Path) -> None:
        """A group is gone."""
        if self._kept.pop(str(group), None) is not None:
            self._save()

    def give_back(self, group: Path | None = None) -> int:
        """Write the noted limits (that of one group) and forget them; how many limits were given back."""
        names = list(self._kept) if group is None else [str(group)]
        given = 0
        failed = {}
        for name in names:
            text, inode = self._kept.pop(name, ("", -1))
            path = Path(name)
            try:
                if inode >= 0 and path.is_relative_to(self._root) and path.stat().st_ino == inode:
                    write_limit(path, text)
                    given += 1
            except FileNotFoundError:
                pass  # it is gone, and its limit with it
            except OSError as error:
                _log.error("%s: its limit %s was not given back: %s", name, text, error)
                failed[name] = (text, inode)
        self._kept.update(failed)
        self._save()
        return given

    def _save(self) -> None:
        if not self._kept:
            self._file.unlink(missing_ok=True)
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        with open(new, "w", encoding="utf-8") as file:
            json.dump(self._kept, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)
