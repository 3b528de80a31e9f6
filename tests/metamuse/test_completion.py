"""Completion, asked for as bash asks."""

from __future__ import annotations

import subprocess

import pytest

from metamuse.cli import main
from tests.support.capabilities import needs

pytestmark = needs("bash")


@pytest.fixture(scope="module")
def script() -> str:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["completion"]) == 0
    return out.getvalue()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("metamuse repr", ["reproduce"]),
        ("metamuse problem=ca", ["cache"]),
        ("metamuse score problem=", ["autothrottle", "binpacking", "cache"]),
        ("metamuse search.la", ["search.lag="]),
        ("metamuse --dr", ["--dry-run"]),
        ("metamuse seed", ["seeds=", "seed="]),
        ("metamuse nosuch", []),
    ],
)
def test_what_bash_offers(script: str, line: str, expected: list[str]) -> None:
    ask = f'COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}; _metamuse; printf "%s\\n" "${{COMPREPLY[@]}}"'
    found = subprocess.run(["bash", "-c", script + ask], capture_output=True, text=True, check=True)
    assert found.stderr == ""
    assert set(expected) <= set(found.stdout.split())
    if not expected:
        assert found.stdout.split() == []
