"""Fixtures of the stimuli tests."""

from __future__ import annotations

import pytest

from stimuli import Lexicon


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return Lexicon()
