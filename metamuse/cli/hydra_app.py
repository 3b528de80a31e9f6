"""Hydra's own flags (``--cfg job``, ``-m``): the same commands, started by Hydra."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig

from metamuse.cli import Invocation, run_command
from metamuse.config import folder
from metamuse.interrupts import EXIT_CODE


def run_hydra(invocation: Invocation) -> int:
    """Let Hydra read the overrides; with ``-m`` the command runs once a combination, one after another.

    Returns:
        The highest exit code; an interruption ends the rest.
    """
    combinations: list[list[str]] = []

    @hydra.main(config_path=str(folder()), config_name="config", version_base="1.3")
    def application(config: Any) -> None:
        combinations.append(list(HydraConfig.get().overrides.task))

    saved = sys.argv
    sys.argv = ["metamuse", *invocation.hydra, *invocation.overrides]
    try:
        application()
    except SystemExit as error:
        # Hydra has printed its message; every error of a configuration is exit code 2.
        return 2 if error.code else 0
    finally:
        sys.argv = saved
    # Not inside of Hydra: a run composes a configuration of its own, and its errors are told in our words.
    code = 0
    for overrides in combinations:
        code = max(code, run_command(replace(invocation, overrides=overrides, hydra=[])))
        if code == EXIT_CODE:
            break
    return code
