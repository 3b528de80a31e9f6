"""Makes the parts that a configuration names."""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import evaluators
import problems.base
from evaluators.base import WorkloadError
from metamuse import config as settings_of
from metamuse.errors import UsageError
from metamuse.executor.base import Executor, Limits
from problems.base import Problem

#: Folders of machine code for earlier sources that are kept; other versions may be in use beside this one.
_OUTDATED_CACHES = 3


def make_problem(config: dict[str, Any]) -> Problem:
    """The configured problem.

    Raises:
        UsageError: Its settings make no sense.
    """
    try:
        problem = problems.base.make(config["problem"])
        _ = problem.rivals  # named baselines must exist
        return problem
    except (WorkloadError, ValueError) as error:
        raise UsageError(str(error)) from None


def make_executor(
    config: dict[str, Any], setup: Mapping[str, Any], entry: str = "metamuse.evaluation:setup"
) -> Executor:
    """The configured executor.

    Args:
        config: The resolved configuration.
        setup: What ``entry`` is given beside the problem's configuration; by default ``sets`` of workloads and
            ``warm``, see :func:`metamuse.evaluation.setup`.
        entry: What makes the handler of tasks, in the scoring process.
    """
    settings = config["executor"]
    content = {"problem": config["problem"], **setup}
    breaks_after = settings_of.whole(config, "search.max_failures", 1)
    if settings["name"] == "ray":
        from metamuse.executor.cluster.executor import RayExecutor

        return RayExecutor(
            entry,
            content,
            address=settings["address"],
            workers=None if settings["workers"] is None else settings_of.workers(config),
            sandbox=settings["sandbox"],
            patience_s=settings_of.number(config, "executor.patience_s", 0),
            breaks_after=breaks_after,
        )
    if settings["name"] != "local":
        raise UsageError(f"executor={settings['name']} is unknown; use executor=local or executor=ray.")
    from metamuse.executor.local import LocalExecutor

    return LocalExecutor(
        entry,
        content,
        workers=settings_of.workers(config),
        sandbox=settings["sandbox"],
        cache_dir=cache_folder(),
        breaks_after=breaks_after,
    )


def cache_folder() -> Path | None:
    """Where machine code of trusted kernels is kept between runs; None if there is no folder to use.

    One folder for each state of the sources of evaluators, policy kit and policy compiler: Numba looks at the file of a
    function only, and would go on with old machine code where a constant or a function from another file has changed.
    Files that are not whole (the disk was full, the power went) are deleted: Numba would fail on them in every run.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "metamuse" / "numba"
    folder = base / _sources_digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = (path for path in base.iterdir() if path != folder)
        outdated = sorted(others, key=lambda path: path.stat().st_mtime)
        for path in folder.rglob("*.nb[ci]"):
            if not _whole(path):
                path.unlink(missing_ok=True)
    except OSError:
        return None
    for path in outdated[:-_OUTDATED_CACHES]:
        shutil.rmtree(path, ignore_errors=True)
    return folder


def _whole(path: Path) -> bool:
    """Whether a file of Numba's cache ends as a pickle does."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return file.read() == pickle.STOP


@functools.cache
def _sources_digest() -> str:
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for root in (Path(str(evaluators.__file__)).parent, here / "policy", here / "policykit"):
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def limits(config: dict[str, Any], wall_s: float) -> Limits:
    """Limits of one task that may take ``wall_s`` seconds."""
    return Limits(wall_s=wall_s, cpu_s=wall_s, memory_mb=settings_of.whole(config, "executor.memory_mb", 64))


def read_incumbent(config: dict[str, Any]) -> str | None:
    """The text of the user's own policy, if one is named.

    Raises:
        UsageError: The file cannot be read.
    """
    path = config["problem"].get("incumbent")
    return None if path is None else read_policy(str(path))


def read_policy(path: str) -> str:
    """The text of a policy file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"Cannot read the policy {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"The policy {path} is not UTF-8 text (byte {error.start}).") from None
