"""Containment is never weaker without saying so."""

from __future__ import annotations

import asyncio

import pytest

from metamuse.executor.jail import Layer
from metamuse.executor.local import LocalExecutor
from metamuse.executor.statement import in_force, missing
from tests.metamuse.executor.conftest import HANDLERS

LAYERS = [
    str(layer)
    for layer in (
        Layer("limits", True, "CPU time: and memory"),
        Layer("landlock", False, "the kernel has no Landlock"),
        Layer("seccomp", True, "few calls"),
    )
]


def test_what_holds_is_named() -> None:
    assert (
        in_force(LAYERS) == "candidates are contained by: limits, seccomp (config.yaml says what each does)"
    )
    assert in_force([]) == ""


def test_what_is_missing_is_named_with_the_reason() -> None:
    assert missing(LAYERS).endswith("absent: landlock (the kernel has no Landlock)")
    assert missing(LAYERS[:1]) == ""


def test_an_executor_with_fewer_layers_says_so_at_its_start(capsys: pytest.CaptureFixture[str]) -> None:
    async def main(sandbox: str) -> None:
        executor = LocalExecutor(f"{HANDLERS}:plain", {}, 1, sandbox=sandbox)
        await executor.start()
        await executor.close()

    from metamuse.executor import local

    local._tell_once.cache_clear()
    for _ in range(2):
        asyncio.run(main("none"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(
        "absent: landlock (switched off by sandbox=none), seccomp (switched off by sandbox=none)"
    )
