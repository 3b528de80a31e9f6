"""Writes an export: makes it in a folder beside the wanted one, tests it there, and only then puts it in place."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import metamuse
from metamuse.build import limits, make_executor
from metamuse.errors import UsageError
from metamuse.executor.base import Executor, Task
from metamuse.export.base import Exporter
from metamuse.export.form import checked
from metamuse.export.golden import ForgedError, pack, unpack
from metamuse.export.subject import Subject
from problems.base import SETS

#: Seconds that the equivalence test may take.
PATIENCE_S = 1200.0
#: Roots of import names that an export may not find while it is tested.
HIDDEN = ("metamuse", "problems", "evaluators", "stimuli", "numba")
#: Names of files: folders in folders, none of which is hidden, absolute or a way up.
_NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}/){0,4}[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
#: Longest sentence of another process that is passed on, in characters.
_LONGEST = 2000

#: Starts a test where nothing of MetaMuse can be imported.
_RUNNER = """
import importlib.abc, os, runpy, sys

sys.path.insert(0, os.getcwd())

class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError("hidden while an export is tested: " + name, name=name)

sys.meta_path.insert(0, Hidden())
try:
    import metamuse
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("metamuse can be imported")
sys.argv = ["test_equivalence.py"]
runpy.run_path("test_equivalence.py", run_name="__main__")
"""


class ExportFailedError(Exception):
    """The export was made, and is not equivalent to the policy; or the policy cannot be exported."""


@dataclass(frozen=True)
class Exported:
    """A finished export.

    Attributes:
        out: Its folder.
        package: Name of its package.
        decisions: Golden decisions that were equal.
        us: Microseconds a decision took in the test, the harness included.
        files: Its files, relative to ``out``.
        refused: See :class:`metamuse.export.base.Material`.
    """

    out: Path
    package: str
    decisions: int
    us: float
    files: list[str]
    refused: str


def check_out(out: Path, overwrite: bool) -> None:
    """Refuse a folder that holds something.

    Raises:
        UsageError: See there.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"out={out} is a file; name a folder.")
    if out.is_dir() and any(out.iterdir()):
        if not overwrite:
            raise UsageError(f"out={out} is not empty; name another folder, or add overwrite=true.")
        if not (out / "golden.gz").is_file():
            raise UsageError(
                f"out={out} is not empty and holds no export, so it is not overwritten; name another folder."
            )


def export(settings: dict[str, Any], subject: Subject, exporter: Exporter, out: Path) -> Exported:
    """Export a policy.

    Args:
        settings: The resolved configuration (the executor's part is used).
        subject: What to export.
        exporter: To what.
        out: Where to; see :func:`check_out`.

    Raises:
        ExportFailedError: The policy cannot be translated, or the export does not decide as the policy; nothing is
            left behind.
        UsageError: The folder cannot be written.
    """
    made = asyncio.run(_make(settings, subject, exporter))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise UsageError(f"Cannot write beside {out}: {error.strerror}.") from None
    try:
        _write(work, made["files"])
        (work / "golden.gz").write_bytes(made["golden"])
        (work / "LICENSE").write_text(_license(), encoding="utf-8")
        decisions, seconds = run_test(work)
        us = 1e6 * seconds / max(1, decisions)
        (work / "README.md").write_text(_readme(subject, exporter, made, decisions, us), encoding="utf-8")
        if any(name.endswith("/__init__.py") for name in made["files"]):
            _write(work, {"pyproject.toml": _pyproject(subject, exporter, made["files"])})
        _tidy(work)
        if out.is_dir():
            shutil.rmtree(out)
        work.chmod(0o755)
        os.replace(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    files = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    return Exported(out, subject.package, decisions, us, files, made["refused"])


async def _make(settings: dict[str, Any], subject: Subject, exporter: Exporter) -> dict[str, Any]:
    """The package's ``files`` (checked), ``golden`` (the file's bytes), ``cases`` (names), ``refused`` and ``doc``."""
    # Two tasks, whose answers become files here: they stay on this machine.
    alone = dict(settings["executor"]) | {"name": "local"}
    config = settings | {"problem": dict(subject.problem.config), "executor": alone}
    sets = [name for name in ("holdout", "validation", "feedback") if name in SETS]
    executor = make_executor(config, {"sets": sets}, "metamuse.export.jailed:setup")
    payload = {
        "source": subject.source,
        "target": exporter.name,
        "package": subject.package,
        "title": subject.title,
        "provenance": subject.provenance,
        "scores": subject.scores,
    }
    wall = limits(config, float(settings["executor"]["trusted_wall_s"]))
    try:
        await executor.start()
        recorded = _data_of(await _answer(executor, Task("record", payload | {"do": "record"}, wall)))
        cases = recorded.pop("cases")
        # Written anew from what was read, so that nobody else reads it otherwise.
        golden = pack(cases)
        payload |= recorded | {"do": "render", "golden": base64.b64encode(golden).decode()}
        rendered = await _answer(executor, Task("render", payload, wall))
    finally:
        await executor.close()
    if "untranslatable" in rendered:
        raise ExportFailedError(
            f"target={exporter.name} cannot express the policy: {rendered['untranslatable']}."
        )
    if "forged" in rendered:
        raise _forged(rendered["forged"])
    return {
        "files": check_files(rendered["files"]),
        "golden": golden,
        "cases": [str(case.fields["name"]) for case in cases],
        "refused": recorded["refused"],
        "doc": rendered["doc"],
    }


async def _answer(executor: Executor, task: Task) -> dict[str, Any]:
    outcome = await executor.run(task)
    if outcome.result is None:
        assert outcome.failure is not None
        kind, message = outcome.failure
        raise ExportFailedError(f"the policy fails ({kind}: {_sentence(message)}).")
    return outcome.result


def _data_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the process says in which the policy ran, as ``cases``, ``form`` and ``refused``: it may say anything.

    Raises:
        ExportFailedError: It says something else than it is asked for.
    """
    try:
        if answer.keys() != {"form", "golden", "refused"}:
            raise ForgedError("its answer has another form")
        golden, refused = answer["golden"], answer["refused"]
        if not isinstance(golden, str) or not isinstance(refused, str):
            raise ForgedError("its answer has another form")
        cases = unpack(base64.b64decode(golden, validate=True))
        return {"cases": cases, "form": checked(answer["form"]), "refused": _sentence(refused)}
    except ForgedError as error:
        raise _forged(str(error)) from None
    except ValueError:
        raise _forged("its golden decisions are not in base64") from None


def _forged(why: str) -> ExportFailedError:
    return ExportFailedError(f"the process in which the policy ran answers what it cannot: {why}.")


def _sentence(text: str) -> str:
    """A text of another process as one line that a terminal and a README can hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST]


def check_files(files: object) -> dict[str, str]:
    """Texts by names that stay in their folder.

    Raises:
        ExportFailedError: A name is no plain relative one, or there is no text.
    """
    if not isinstance(files, Mapping):
        raise ExportFailedError("what it was made of is no list of files.")
    for name, text in files.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ExportFailedError(
                f"a file of it would be called {name!r:.200}, which is no name in its folder."
            )
        if not isinstance(text, str):
            raise ExportFailedError(f"its file {name} is no text.")
    return dict(files)


def run_test(folder: Path) -> tuple[int, float]:
    """Run an export's test where nothing of MetaMuse can be imported; decisions and seconds.

    Raises:
        ExportFailedError: A decision differs, or the test does not end.
    """
    command = [sys.executable, "-I", "-c", _RUNNER.format(hidden=HIDDEN)]
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "TMPDIR", "LANG", "CC", "CXX")
        if name in os.environ
    }
    try:
        ended = subprocess.run(
            command, cwd=folder, env=kept, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ExportFailedError(f"its equivalence test takes more than {PATIENCE_S:.0f} s.") from None
    lines = ended.stdout.strip().splitlines()
    if ended.returncode != 0 or not lines:
        said = lines or ended.stderr.strip().splitlines() or ["it says nothing"]
        raise ExportFailedError(f"the exported policy is not equivalent: {said[-1]}")
    result = json.loads(lines[-1])
    return int(result["decisions"]), float(result["seconds"])


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in check_files(files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _tidy(folder: Path) -> None:
    """Remove what the test left behind."""
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)


def _license() -> str:
    for file in distribution("metamuse").files or ():
        if file.name == "LICENSE":
            return file.read_text()
    return (Path(metamuse.__file__).parent.parent / "LICENSE").read_text(encoding="utf-8")


def _pyproject(subject: Subject, exporter: Exporter, files: Mapping[str, str]) -> str:
    numpy = ["numpy>=2.0"] if any("import numpy" in text for text in files.values()) else []
    needs = ", ".join(json.dumps(r) for r in [*exporter.requires, *numpy])
    return f"""[build-system]
requires = ["hatchling>=1.25"]
build-backend = "hatchling.build"

[project]
name = "{subject.package.replace("_", "-")}"
version = "1.0.0"
description = "{subject.title}"
license = "Apache-2.0"
requires-python = ">=3.10"
dependencies = [{needs}]

[tool.hatch.build.targets.wheel]
packages = ["{subject.package}"]
"""


def _readme(subject: Subject, exporter: Exporter, made: Mapping[str, Any], decisions: int, us: float) -> str:
    problem = subject.problem.name
    assumptions = exporter.assumptions(problem)
    if made["refused"]:
        assumptions = [*assumptions, f"Tried and not possible: {made['refused']}."]
    cases = made["cases"]
    some = ", ".join(cases[:3]) + (f" and {len(cases) - 3} more" if len(cases) > 3 else "")
    idea = made.get("doc") or "Its text says nothing of its idea."
    parts = [
        f"# {subject.title}",
        f"Exported by MetaMuse {metamuse.__version__} for `{exporter.name}` ({exporter.summary}). Nothing of MetaMuse is needed.",
        f"## Idea\n\n{idea}",
        "## Where it comes from\n\n" + _listed(subject.provenance),
        "## What was measured\n\n" + _listed(subject.scores),
        f"## Use\n\n{exporter.usage(problem).format(package=subject.package)}",
        "## What it assumes\n\n" + _listed(assumptions),
        f"## When it fails\n\n{exporter.fallback(problem)}",
        "## Equivalence\n\n"
        f"`golden.gz` holds {decisions:,} decisions that the policy took in the simulator, on {len(cases)} workloads "
        f"({some}). `python test_equivalence.py` takes them again and compares every one; the export was written because "
        f"all are equal. It took {us:.2f} µs a decision on the exporting machine, the comparison included.",
        "## Licence\n\nApache-2.0 (LICENSE) for everything that MetaMuse wrote: the modules around the policy and the "
        "translation. For a policy that a model or you wrote, its own terms hold.",
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _listed(sentences: list[str]) -> str:
    return "\n".join(
        textwrap.fill(s, 118, initial_indent="- ", subsequent_indent="  ", break_long_words=False)
        for s in sentences
    )
