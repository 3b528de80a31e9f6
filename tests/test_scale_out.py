"""The files for clusters in docs/scale-out: well-formed, and what they say to metamuse is understood."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import yaml

from metamuse import config
from metamuse.cli import parse
from tests.support.capabilities import needs

FOLDER = Path(__file__).parents[1] / "docs" / "scale-out"


def test_the_ray_job_is_one_and_its_commands_are_understood() -> None:
    (job,) = yaml.safe_load_all((FOLDER / "kuberay.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec = job["spec"]["rayClusterSpec"]
    pods = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    containers = [pod["template"]["spec"]["containers"][0] for pod in pods]
    assert len({container["image"] for container in containers}) == 1
    assert [any("KEY" in v["name"] for v in c["env"]) for c in containers] == [True, False]
    shell, flag, script = shlex.split(job["spec"]["entrypoint"])
    assert (shell, flag) == ("bash", "-c")
    commands = re.findall(r"exec python -m metamuse ([^;]+)", script)
    assert len(commands) == 2
    for command in commands:
        invocation = parse(shlex.split(command))
        assert invocation is not None
        ray = [] if "executor=ray" in invocation.overrides else ["executor=ray"]
        assert config.compose([*ray, *invocation.overrides])["executor"]["address"] == "auto"


@needs("bash")
def test_the_slurm_script_is_well_formed() -> None:
    script = FOLDER / "slurm.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", str(script)], check=True)
    (command,) = re.findall(
        r'^python -m metamuse "\$\{command\[@\]\}" (.*) &$', script.read_text(), re.MULTILINE
    )
    for words in ("problem=cache solutions=8", "resume run=latest"):
        assert (
            parse([*words.split(), *shlex.split(command.replace('"$address"', "10.0.0.1:6379"))]) is not None
        )
