"""What is needed to repeat the run: a section of the report."""

from __future__ import annotations

from typing import Any

from metamuse.report.markup import Html, definitions, section, table
from metamuse.report.view import View


def provenance(view: View) -> Html:
    """What is needed to repeat the run."""
    config = view.state.config
    known = view.recorded.get("provenance") or {}
    items: dict[str, object] = {
        "run": view.run,
        "problem": view.problem.version,
        "seed": config.get("seed"),
        "model": config.get("llm", {}).get("model") or config.get("llm", {}).get("provider"),
        "stimuli": config.get("stimuli", {}).get("strategy"),
        **known,
    }
    containment = view.recorded.get("containment")
    if containment:
        items["containment"] = (
            ", ".join(map(str, containment)) if isinstance(containment, list) else containment
        )
    rows = [[which, w["name"], w["digest"]] for which, listed in view.state.workloads.items() for w in listed]
    hashes = Html(
        f"<details><summary>{len(rows)} workloads with their hashes</summary>{table(['set', 'workload', 'hash'], rows)}</details>"
    )
    settings = Html(f"<details><summary>All settings</summary>{definitions(_flat(config))}</details>")
    return section("Provenance", definitions(items), settings, hashes if rows else Html(""))


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, object]:
    out: dict[str, object] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{prefix}{key}.")
        else:
            out[prefix + key] = "–" if value is None else value
    return out
