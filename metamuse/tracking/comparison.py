"""A comparison of ways to search in MLflow: a run for the comparison, a child for each of its runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metamuse.errors import describe, tell
from metamuse.tracking import artifacts, content, database
from metamuse.tracking.store import MlflowStore

#: Figures of a run that are no measurements.
_WORDS = ("run", "seed", "ended", "best")


def record(settings: Mapping[str, Any], problem: str, folder: Path, found: Mapping[str, Any]) -> None:
    """Write a finished comparison into MLflow, in place of what there is of it. Trouble is told, never raised.

    Args:
        settings: Those of the command; ``root`` and ``tracking`` count.
        problem: Its name.
        folder: Of the comparison.
        found: What stands in ``comparison.json``.
    """
    root = Path(settings["root"])
    try:
        _write(
            MlflowStore(
                database(settings, root), artifacts(settings, root), f"metamuse/{problem}/arms", problem
            ),
            folder,
            found,
        )
    except (
        Exception
    ) as error:  # whatever MLflow or its database raises must not reach a comparison that is done
        tell(
            f"The comparison is not in MLflow: {describe(error)}. Nothing else is affected; "
            f"python -m metamuse compare run={folder} writes it again."
        )


def _write(store: MlflowStore, folder: Path, found: Mapping[str, Any]) -> None:
    known = store.find(folder.name)
    if known is not None:
        store.delete(known)
    tags = {"metamuse.run": folder.name, "metamuse.run_dir": str(folder), "problem": found["problem"]}
    run = store.create(folder.name, tags, None)
    store.tag(run, "mlflow.note.content", "\n\n".join(found["verdict"]))
    store.parameters(
        run, {"equal": found["equal"], "against": found["against"], "seeds": str(found["seeds"])}
    )
    now = int(time.time() * 1000)
    for arm in found["arms"]:
        means = {f"{key}/{arm['arm']}": mean for key, mean in arm["means"].items() if mean is not None}
        store.metrics(run, [(key, float(mean), now, 0) for key, mean in means.items()])
        for one in arm["runs"]:
            name = f"{arm['arm']}, seed {one['seed']}"
            own = {
                "arm": arm["arm"],
                "seed": str(one["seed"]),
                "directory": one["run"],
                "ended": one["ended"],
            }
            child = store.child(run, name, name, own | {"problem": found["problem"]})
            figures = {k: v for k, v in one.items() if k not in _WORDS and v is not None}
            store.metrics(child, [(key, float(value), now, 0) for key, value in figures.items()])
            store.parameters(child, {"arm": arm["arm"], "seed": str(one["seed"])})
            store.end(child, "FINISHED", "")
    store.table(run, "arms.json", _table(found["arms"]))
    for file in ("comparison.json", "comparison.csv", "comparison.html", "config.yaml"):
        store.file(run, folder / file)
    store.end(run, "FINISHED", "")


def _table(arms: list[dict[str, Any]]) -> content.Table:
    """Means of the arms, and their differences from the first with what excludes zero marked."""
    table: content.Table = {"arm": [arm["arm"] for arm in arms]}
    for key in arms[0]["means"]:
        table[key] = [arm["means"][key] for arm in arms]
        differences = [arm["differences"].get(key) for arm in arms]
        if any(differences):
            table[f"{key}, difference"] = [None if d is None else d["mean"] for d in differences]
            table[f"{key}, 95 %"] = [None if d is None else str(d["ci95"]) for d in differences]
    return table
