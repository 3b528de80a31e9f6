"""All speeds in one table, ratios from one run.

    python -m benchmarks [short=true] [parts=cache,binpacking,…] [out=FILE.json] [json=true]
    python -m benchmarks record [parts=…]   # full form into benchmarks/results/latest.json, docs/speed.md and the README
    python -m benchmarks page               # the tables of both from benchmarks/results/latest.json

Each part runs in a process of its own (:mod:`benchmarks.parts`); one that fails is told and does not hinder the others. CPU
seconds count, so other work on the machine disturbs less than it would; the load average is on record with each part,
as are machine and date, so that parts can be recorded again one by one. About ten minutes on two cores; the short
form, a minute, shows that everything works.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.parts import PARTS, ROOT
from benchmarks.table import FIGURES, RECORD, block, figures, markdown, put, recorded

PAGE = ROOT / "docs" / "speed.md"
README = ROOT / "README.md"


def machine() -> dict[str, Any]:
    """What this is measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        cpu = models[0] if models else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numba", "numpy")},
    }


def measure(names: list[str], short: bool) -> dict[str, Any]:
    """Run parts; returns the record: ``parts`` by name with where, when and what, and ``failed`` with why."""
    record: dict[str, Any] = {"parts": {}, "failed": {}}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    about = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "short": short,
    }
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        load = [round(os.getloadavg()[0], 1)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", "part", name, str(short)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, **threads, "PYTHONPATH": str(ROOT)},
        )
        if done.returncode:
            said = done.stderr.strip().splitlines()
            record["failed"][name] = said[-1] if said else f"exit status {done.returncode}"
        else:
            load.append(round(os.getloadavg()[0], 1))
            measured = json.loads(done.stdout.splitlines()[-1])
            record["parts"][name] = about | {"load": load, "figures": measured}
    return record


def keep(record: dict[str, Any]) -> None:
    """Put parts into the record that the page shows, beside those that were not measured now."""
    parts = recorded()["parts"] if RECORD.exists() else {}
    parts |= record["parts"]
    RECORD.parent.mkdir(exist_ok=True)
    ordered = {name: parts[name] for name in PARTS if name in parts}
    RECORD.write_text(json.dumps({"parts": ordered, "failed": {}}, indent=1) + "\n", encoding="utf-8")
    write_pages()


def write_pages() -> None:
    """Make the tables of the page and of the README anew."""
    PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), block(recorded())), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    README.write_text(put(text, figures(recorded()), *FIGURES), encoding="utf-8")


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["part"]:
        print(json.dumps(PARTS[arguments[1]](arguments[2] == "True")))
        return 0
    if arguments == ["page"]:
        write_pages()
        return 0
    recording = arguments[:1] == ["record"]
    given = dict(argument.partition("=")[::2] for argument in arguments[recording:])
    names = given.get("parts", ",".join(PARTS)).split(",")
    unknown = [
        *(set(given) - ({"parts"} if recording else {"parts", "short", "out", "json"})),
        *(name for name in names if name not in PARTS),
    ]
    if unknown:
        print(f"There is no {', '.join(unknown)}; parts are {', '.join(PARTS)}. {__doc__}", file=sys.stderr)
        return 2
    record = measure(names, given.get("short") == "true")
    if recording:
        keep(record)
    if given.get("out"):
        Path(given["out"]).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record) if given.get("json") == "true" else markdown(record))
    return 1 if record["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
