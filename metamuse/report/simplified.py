"""The winner's simplified form: a section of the report."""

from __future__ import annotations

from metamuse.report.markup import Html, code, paragraph, section
from metamuse.report.view import View
from metamuse.rundir import simplified_of
from metamuse.state import Entry


def simplified(view: View) -> Html:
    """The winner without what decides nothing, and what that was tried on."""
    if view.best is None or simplified_of(view.best) is None:
        return Html("")
    where = f"solutions/{view.best.id}/simplified.py; the scores are those of policy.py beside it"
    parts = [paragraph(s) for s in sentences(view.best)] + [paragraph(where, "note")]
    text = code(view.best.data["simplified"]["source"])
    return section("In short", *parts, text)


def sentences(entry: Entry) -> list[str]:
    """What is known of a policy's simplified form; nothing if it has none."""
    made = simplified_of(entry)
    if made is None:
        return []
    before, after = made["before"], made["after"]
    said = [
        f"Simplified: {_change(before, after, 'lines')}, {_change(before, after, 'constants')}; the same decisions on {made['workloads']} feedback and validation workloads "
        f"({made['decisions']:,} decisions)."
    ]
    holdout = made["holdout"]
    if holdout is None:
        said.append("Its decisions on the hold-out workloads are not known.")
    elif holdout["differs"]:
        said.append(
            f"On {len(holdout['differs'])} of {holdout['workloads']} hold-out workloads it decides otherwise "
            f"({', '.join(holdout['differs'][:3])}): what was left out matters there, so use the original."
        )
    else:
        said.append(
            f"On the {holdout['workloads']} hold-out workloads, too, it decides the same ({holdout['decisions']:,} decisions)."
        )
    return said


def _change(before: dict[str, int], after: dict[str, int], what: str) -> str:
    if before[what] == after[what]:
        return f"still {after[what]} {what}"
    return f"{before[what]} → {after[what]} {what}"
