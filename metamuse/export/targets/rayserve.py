"""``target=rayserve``: an application-level autoscaling policy for Ray Serve."""

from __future__ import annotations

import json

from metamuse.export.base import Material, runtime_text
from metamuse.export.serving import example_config
from metamuse.export.targets.python import package_files
from metamuse.export.texts import FALLBACK, SHOWN

_MODULE = '''"""What Ray Serve is told to import: `policy_function: {package}.autoscaler:Autoscaler`."""

from .policy import Policy
from .ray_policy import ApplicationPolicy


class Autoscaler(ApplicationPolicy):
    """{title}.

    Args:
        config: Path of ``scaling.json``, or what it holds.
    """

    def __init__(self, config):
        super().__init__(Policy, config)
'''

_APPLICATION = """# serve deploy application.yaml (the package on PYTHONPATH of the head node, or in runtime_env)
applications:
  - name: llm
    import_path: my_service:app
    autoscaling_policy:
      policy_function: {package}.autoscaler:Autoscaler
      policy_kwargs:
        config: /path/to/scaling.json
    deployments:
"""

_DEPLOYMENT = """      - name: {name}
        autoscaling_config:
          min_replicas: 1
          max_replicas: 64
          target_ongoing_requests: 16
          upscale_delay_s: 0       # the policy decides when
          downscale_delay_s: 0
          metrics_interval_s: 2
          look_back_period_s: 2
"""


class RayServeExporter:
    """See :class:`metamuse.export.base.Exporter`."""

    name = "rayserve"
    summary = "an application-level autoscaling policy of Ray Serve"
    problems = ("opscale",)
    requires: tuple[str, ...] = ()

    def usage(self, problem: str) -> str:
        return """    pip install .                      # where Ray Serve's controller runs
    serve deploy application.yaml      # your application, with `{package}.autoscaler:Autoscaler` as in this file

`scaling.json` names the deployments and their groups and the profile of a replica (that of the first workload on which
golden decisions were recorded: put in yours). Serve itself tells of replicas, running and waiting requests. Everything else a
replica may report, as numbers by name, from a method `record_autoscaling_stats`; what nobody reports is 0 for the policy:

    class Prefill:
        def record_autoscaling_stats(self):
            return {{"rps": self.rate(), "prompt_mean": self.mean_prompt, "waiting_tokens": self.tokens, "busy": self.busy}}

Names for the whole service: `rps rps_mean prompt_mean prompt_cv2 output_mean active context_mean ttft_p95 tbt_p95 attainment`
(times in seconds); for the deployment: `arrivals waiting waiting_tokens oldest_wait batch busy ready loading service wait
latency_share kv_used`. Of several replicas, rates and queues are added up, the largest percentile counts, of the rest the
mean.

""" + SHOWN["opscale"]

    def assumptions(self, problem: str) -> list[str]:
        return [
            "Made for and tried with Ray Serve 2.60, whose application-level policies are alpha.",
            "Only numbers of replicas are carried out; batch caps, shares and placement are not Serve's to set.",
            "Serve's own delays and bounds of a deployment still hold: set the delays to 0, as application.yaml does.",
            "Its state is in Serve's controller; when that starts again, so does the policy.",
        ]

    def fallback(self, problem: str) -> str:
        return (
            f"If the policy raises an error or names what it may not, {FALLBACK[problem]} takes over for good, and an error is "
            "logged once. If Serve's contexts cannot be read, decisions stand. Nothing is ever raised into Serve's loop."
        )

    def files(self, material: Material) -> dict[str, str]:
        package = material.package
        config = example_config(material)
        files = package_files(material)
        files[f"{package}/ray_policy.py"] = runtime_text("ray_policy.py")
        files[f"{package}/autoscaler.py"] = _MODULE.format(package=package, title=material.title)
        files["scaling.json"] = json.dumps(config, indent=2) + "\n"
        files["application.yaml"] = _APPLICATION.format(package=package) + "".join(
            _DEPLOYMENT.format(name=name) for name in config["deployments"]
        )
        return files


EXPORTER = RayServeExporter()
