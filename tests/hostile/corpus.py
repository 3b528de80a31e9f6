"""All hostile programs."""

from __future__ import annotations

from tests.hostile.case import Case
from tests.hostile.programs import bombs, loops, memory, system, texts, tricks

CORPUS: list[Case] = [case for shelf in (loops, bombs, system, memory, tricks, texts) for case in shelf.CASES]
