"""What must be the same on all machines for scores to be the same to the last digit."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Packages that take part in computing a score.
_PACKAGES = ("numpy", "numba", "llvmlite", "scipy")


def identity() -> dict[str, str]:
    """Versions, sources and arithmetic of this machine, each under the name it has in messages."""
    import evaluators
    import metamuse
    import problems

    out = {"Python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            out[package] = version(package)
        except PackageNotFoundError:
            out[package] = "not installed"
    sources = hashlib.sha256()
    for module in (metamuse, evaluators, problems):
        root = Path(module.__file__ or "").parent
        for path in sorted(root.rglob("*.py")):
            sources.update(f"{root.name}/{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    out["metamuse"] = f"{metamuse.__version__} (sources {sources.hexdigest()[:12]})"
    out["arithmetic"] = arithmetic()
    return out


def arithmetic() -> str:
    """A hash of what elementary functions give here: libraries choose their code by the processor.

    Their last digits differ between processors with and without AVX-512, for instance.
    """
    import numpy as np

    x = np.linspace(1e-3, 40.0, 4001)
    found = [np.exp(x), np.log(x), np.sin(x), np.cos(x), np.tanh(x), np.log1p(x), np.expm1(x)]
    found += [np.power(x, 0.37), np.sqrt(x), np.cumsum(x), np.array([x.sum(), x.std(), x @ x])]
    return hashlib.sha256(b"".join(part.tobytes() for part in found)).hexdigest()[:12]


def differences(here: dict[str, str], there: dict[str, str]) -> str:
    """What differs, in words; "" if nothing does."""
    return ", ".join(
        f"{name} {there.get(name, 'not installed')} instead of {value}"
        for name, value in here.items()
        if there.get(name) != value
    )
