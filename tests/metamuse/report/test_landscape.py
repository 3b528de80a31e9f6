"""The map: what varies most is seen, every solution leads to its policy, large runs are thinned honestly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from metamuse.report import landscape as module
from metamuse.report.landscape import Projection, landscape
from metamuse.report.view import View
from tests.support.fake_run import FakeProblem, fake_state


def view(**how: object) -> View:
    problem = FakeProblem(False)
    return View(problem, fake_state(problem, **how), "r1")


def test_distances_in_a_plane_are_kept() -> None:
    rng = np.random.default_rng(3)
    plane, directions = rng.normal(size=(40, 2)), np.linalg.qr(rng.normal(size=(30, 2)))[0]
    found = Projection.of(plane @ directions.T + 5)
    assert sum(found.shares) == pytest.approx(1)
    assert found.shares[0] >= found.shares[1]
    near = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    assert np.allclose(np.linalg.norm(found.points[:, None] - found.points[None], axis=2), near)


def test_the_map_does_not_flip() -> None:
    rng = np.random.default_rng(4)
    embeddings = rng.normal(size=(20, 5))
    again = Projection.of(embeddings + 1e-12 * rng.normal(size=(20, 5)))
    assert np.allclose(Projection.of(embeddings).points, again.points, atol=1e-9)


@pytest.mark.parametrize("embeddings", [np.ones((3, 4)), np.ones((1, 4)), np.array([[1.0], [2.0], [4.0]])])
def test_what_has_no_two_directions_is_a_line_or_a_point(embeddings: np.ndarray) -> None:
    found = Projection.of(embeddings)
    assert np.isfinite(found.points).all()
    assert not found.points[:, 1].any()


def test_every_solution_leads_to_its_policy() -> None:
    one = view()
    html = str(landscape(one))
    for entry in one.state.executable():
        assert html.count(f'href="solutions/{entry.id}/policy.py"') == 1
    assert "not drawn" not in html


def test_a_large_run_is_thinned_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    one = view()
    done = one.state.executable()
    monkeypatch.setattr(module, "MOST", 2)
    html = str(landscape(one))
    assert html.count("<a href=") == 2
    assert one.best is not None
    assert f"solutions/{one.best.id}/policy.py" in html
    assert f"{len(done) - 2} solutions are not drawn" in html


def test_names_of_candidates_are_text(tmp_path: Path) -> None:
    one = view()
    done = one.state.executable()
    done[0].name = "<script>alert(1)</script>"
    assert "<script" not in str(landscape(one))
