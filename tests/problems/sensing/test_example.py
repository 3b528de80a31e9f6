"""The deployment file that people begin with: complete, readable as it is and with every line that is commented out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evaluators.base import WorkloadError
from evaluators.sensing.deployment import read_deployment
from problems.sensing.example import EXAMPLE, main

DOCS = Path(__file__).parents[3] / "docs" / "sensing-deployment.md"


def without_comments(text: str) -> list[str]:
    lines = [re.sub(r"(^|\s+)#.*$", "", line).rstrip() for line in text.splitlines()]
    return [line for line in lines if line]


def test_it_is_written_once_and_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    assert main([str(path)]) == 0
    deployment = read_deployment(str(path))
    assert (deployment.name, len(deployment.places), len(deployment.goals)) == ("Oak ridge", 6, 3)
    assert main([str(path)]) == 2 and main([]) == 2 and main([str(tmp_path / "no" / "x.yaml")]) == 2
    assert "is there already" in capsys.readouterr().err


def test_what_is_commented_out_can_be_said(tmp_path: Path) -> None:
    """All but a panel beside a battery, which is one or the other."""
    text = EXAMPLE.read_text()
    for line in re.findall(r"^ +# (?!panel|store)[\w ]+: [^#\n]+", text, re.M):
        name = line.strip().removeprefix("# ").partition(":")[0]
        text = text.replace(line, line.replace("# ", "", 1))
        path = tmp_path / f"{name.replace(' ', '_')}.yaml"
        path.write_text(text)
        read_deployment(str(path))
    records = text.partition("# records:")[2]
    path.write_text(
        text.replace("# records:" + records, "records:" + re.sub(r"^# ?", "", records, flags=re.M))
    )
    (tmp_path / "readings.csv").write_text("TIMESTAMP,VWC_A1,T_A1\n2021-06-01 00:00,20,10\n")
    with pytest.raises(WorkloadError, match="a column for each node"):  # node: and <node> at once
        read_deployment(str(path))
    path.write_text("\n".join(line for line in path.read_text().split("\n") if "node: mote" not in line))
    found = read_deployment(str(path)).records
    assert found is not None and found.is_wide


def test_the_document_shows_the_same_deployment() -> None:
    shown = re.findall(r"```yaml\n(deployment:.*?)```", DOCS.read_text(), re.S)[0]
    have = without_comments(EXAMPLE.read_text())
    for line in without_comments(shown):
        assert line in have
