"""The configuration that targets for LLM serving start with."""

from __future__ import annotations

from typing import Any

from metamuse.export.base import Material

_GROUPS, _PROF = 5, 12


def example_config(material: Material) -> dict[str, Any]:
    """Deployments, objectives and a profile: those of the first workload of the golden decisions."""
    if material.golden:
        case = material.golden[0]
        fields, prof, glob = case.fields, case.columns["prof"].tolist(), case.columns["glob"].tolist()
    else:
        fields = {"interval": 2.0, "ttft_slo": 1.5, "tbt_slo": 0.05}
        prof, glob = [0.0] * (_GROUPS * _PROF), [0.0] * 16
    rows = [prof[i : i + _PROF] for i in range(0, len(prof), _PROF)]
    decodes = [g for g in range(0, len(rows), _GROUPS) if rows[g][10] > 0]
    deployments = {"decode" if g in decodes else "prefill": g for g in range(0, len(rows), _GROUPS)}
    return {
        "interval": fields["interval"],
        "ttft_slo": fields["ttft_slo"],
        "tbt_slo": fields["tbt_slo"],
        "gpus": glob[12],
        "load_delay": glob[13],
        "past_peak": glob[14],
        "past_p95": glob[15],
        "deployments": deployments,
        "prof": rows,
    }
