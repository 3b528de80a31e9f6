"""Which traces decide, and which judge."""

from __future__ import annotations

from pathlib import Path

from benchmarks.composer_quality import halves


def test_each_folder_is_halved_by_name_without_what_is_generated(tmp_path: Path) -> None:
    for name in ("real/b.zst", "real/a.zst", "real/c.zst", "real/zipf10.zst", "real/README.md"):
        (tmp_path / "cache" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / name).touch()
    for name in ("disk/1.zst", "disk/2.zst", "zipf/1.zst"):
        (tmp_path / "cache/paper" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache/paper" / name).touch()
    validation, holdout = halves(tmp_path)
    assert [path.name for path in validation] == ["1.zst", "a.zst", "c.zst"]
    assert [path.name for path in holdout] == ["2.zst", "b.zst"]
    assert not any("zipf" in str(path.relative_to(tmp_path)) for path in validation + holdout)
