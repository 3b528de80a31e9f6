"""Configuration: Hydra groups under ``conf/``, composed and checked before anything starts."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from metamuse.errors import UsageError


def folder() -> Path:
    """Where the configuration lies: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent
    beside = package.parent / "conf"
    return beside if (beside / "config.yaml").is_file() else package / "conf"


def compose(overrides: Sequence[str]) -> dict[str, Any]:
    """The resolved configuration as plain dictionaries and lists.

    Raises:
        UsageError: An override is malformed or names something that does not exist.
    """
    from omegaconf import OmegaConf

    config = _hydra(overrides, lambda composed: OmegaConf.to_container(composed, resolve=True))
    assert isinstance(config, dict)
    return config  # type: ignore[return-value]  # keys of a YAML mapping of ours are strings


def choices(overrides: Sequence[str]) -> dict[str, str]:
    """The file that is taken from each group of settings, without those that none is taken from.

    Raises:
        UsageError: As for :func:`compose`.
    """
    chosen = _hydra(overrides, lambda composed: dict(composed.hydra.runtime.choices), True)
    return {
        group: name for group, name in chosen.items() if name is not None and not group.startswith("hydra/")
    }


def _hydra(overrides: Sequence[str], take: Callable[[Any], Any], its_own: bool = False) -> Any:
    """What is taken from what Hydra makes of the overrides, with its own settings if these are wanted, too."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        with initialize_config_dir(config_dir=str(folder()), version_base="1.3", job_name="metamuse"):
            return take(hydra_compose("config", list(overrides), return_hydra_config=its_own))
    except (HydraException, OmegaConfBaseException) as error:
        raise UsageError(_explain(error)) from None


def _explain(error: BaseException) -> str:
    """Say in a sentence what Hydra complains about."""
    text = str(error)
    missing = re.search(r"Could not find '(\w+)/([^']+)'", text)
    if missing:
        group, name = missing.groups()
        choices = sorted(p.stem for p in (folder() / group).glob("*.yaml"))
        return f"There is no {group}={name}; choose one of {', '.join(choices)}."
    key = re.search(r"Key '([^']+)' is not in struct|Could not override '([^']+)'", text)
    full = re.search(r"full_key: (\S+)", text)
    if key:
        name = full[1] if full else (key[1] or key[2])
        known = list(keys(compose([])))
        if name in known:
            group = name.partition(".")[0]
            return (
                f"{name} does not go with the {group}= that is chosen here; see python -m metamuse --cfg job."
            )
        meant = near(name, known)
        return f"There is no setting {name}.{meant} All settings: python -m metamuse --cfg job."
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return f"The configuration cannot be read: {first}"


def keys(config: dict[str, Any], before: str = "") -> Iterator[str]:
    """Every setting and group of settings, dotted."""
    for key, value in config.items():
        yield before + key
        if isinstance(value, dict):
            yield from keys(value, f"{before}{key}.")


def near(key: str, known: Sequence[str]) -> str:
    """A question that names what may be meant, "" if nothing is near."""
    found = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    return f" Did you mean {found[0]}?" if found else ""


def whole(config: dict[str, Any], key: str, low: int) -> int:
    """An integer setting of at least ``low``.

    Raises:
        UsageError: It is something else.
    """
    value = _get(config, key)
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise UsageError(f"{key}={value} must be a whole number of at least {low}.")
    return value


def number(config: dict[str, Any], key: str, low: float) -> float:
    """A numeric setting of at least ``low``.

    Raises:
        UsageError: It is something else.
    """
    value = _get(config, key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= low:
        raise UsageError(f"{key}={value} must be a number of at least {low:g}.")
    return float(value)


def switch(config: dict[str, Any], key: str) -> bool:
    """A setting that is on or off (on a command line Hydra takes these two words for text).

    Raises:
        UsageError: It is something else.
    """
    value = _get(config, key)
    if isinstance(value, str):
        value = {"on": True, "off": False}.get(value.lower(), value)
    if not isinstance(value, bool):
        raise UsageError(f"{key}={value} must be on or off.")
    return value


def _get(config: dict[str, Any], key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = value[part]
    return value


def workers(config: dict[str, Any]) -> int:
    """How many candidates are evaluated at once."""
    if config["executor"]["workers"] is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return whole(config, "executor.workers", 1)


def provenance() -> dict[str, str]:
    """Versions of what the numbers depend on, and the commit of a checkout."""
    import platform
    import subprocess
    from importlib.metadata import PackageNotFoundError, version

    import metamuse

    out = {
        "metamuse": metamuse.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    for package in ("numpy", "numba", "litellm", "mlflow"):
        try:
            out[package] = version(package)
        except PackageNotFoundError:
            out[package] = "not installed"
    root = Path(metamuse.__file__).resolve().parent.parent
    if (root / ".git").exists():
        git = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            check=False,
        )
        if git.returncode == 0:
            out["git"] = git.stdout.strip()
    return out
