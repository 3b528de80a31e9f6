"""``target=keda``: an external scaler for KEDA."""

from __future__ import annotations

import json

from metamuse.export.base import Material, runtime_text
from metamuse.export.serving import example_config
from metamuse.export.targets.python import package_files
from metamuse.export.texts import FALLBACK, SHOWN

_COMMAND = '''"""KEDA's external scaler: `python -m {package}.scaler --help`."""

import sys

from .keda_scaler import main
from .policy import Policy

if __name__ == "__main__":
    sys.exit(main(Policy))
'''

_DOCKERFILE = """FROM python:3.12-slim
RUN pip install --no-cache-dir "grpcio>=1.60"
COPY {package} /opt/policy/{package}
ENV PYTHONPATH=/opt/policy PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532
ENTRYPOINT ["python", "-m", "{package}.scaler"]
CMD ["--config=/etc/scaler/scaling.json"]
"""

_DEPLOY = """# kubectl create configmap {name} --from-file=scaling.json && kubectl apply -f deploy.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: 1
  strategy: {{type: Recreate}}
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      automountServiceAccountToken: false
      containers:
        - name: scaler
          image: registry.example/{package}:1
          ports:
            - containerPort: 6000
          securityContext:
            runAsNonRoot: true
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: ["ALL"]}}
          volumeMounts:
            - {{name: config, mountPath: /etc/scaler}}
      volumes:
        - name: config
          configMap: {{name: {name}}}
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector: {{app: {name}}}
  ports:
    - port: 6000
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {deployment}
spec:
  scaleTargetRef:
    name: {deployment}
  pollingInterval: 5
  minReplicaCount: 1
  maxReplicaCount: 64
  fallback: {{failureThreshold: 3, replicas: 8}}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:  # the policy decides when to go down
        scaleDown: {{stabilizationWindowSeconds: 0}}
  triggers:
    - type: external
      metadata:
        scalerAddress: {name}.default:6000
        deployment: {deployment}
"""


class KedaExporter:
    """See :class:`metamuse.export.base.Exporter`."""

    name = "keda"
    summary = "KEDA's external scaler, a gRPC server"
    problems = ("opscale",)
    requires = ("grpcio>=1.60",)

    def usage(self, problem: str) -> str:
        return """    python -m {package}.scaler --config scaling.json --address '[::]:6000'
    docker build -t registry.example/{package}:1 . && docker push registry.example/{package}:1
    head -1 deploy.yaml                # what to type then, after you have put in your image and deployments

`scaling.json` names the deployments and their groups, the profile of a replica, and a query of Prometheus for everything
that is measured; what has no query is 0 for the policy. Its profile is that of the first workload on which golden decisions
were recorded: put in yours. One ScaledObject a deployment, whose trigger's `metadata.deployment` names it; the metric
`desired_replicas` has the target 1, so that the value is the number of replicas.

""" + SHOWN["opscale"]

    def assumptions(self, problem: str) -> list[str]:
        return [
            "KEDA's contract externalscaler.proto (in the package): IsActive, StreamIsActive, GetMetricSpec, GetMetrics.",
            "The horizontal autoscaler behind KEDA looks every 15 s: decisions of less than that are not carried out.",
            "Only numbers of replicas are carried out; batch caps, shares and placement are not KEDA's to set.",
            "One server: its state is the policy's, and a restart begins anew.",
        ]

    def fallback(self, problem: str) -> str:
        return (
            f"If the policy raises an error or names what it may not, {FALLBACK[problem]} takes over for good, and an error is "
            "logged once. If Prometheus cannot be asked, decisions stand; before the first one calls end with UNAVAILABLE, "
            "so that the ScaledObject's own `fallback` counts."
        )

    def files(self, material: Material) -> dict[str, str]:
        package = material.package
        config = example_config(material)
        deployment = next(iter(config["deployments"]))
        names = {"package": package, "name": package.replace("_", "-"), "deployment": deployment}
        files = package_files(material)
        for module in ("wire", "keda_scaler"):
            files[f"{package}/{module}.py"] = runtime_text(f"{module}.py")
        files[f"{package}/scaler.py"] = _COMMAND.format(**names)
        files["externalscaler.proto"] = runtime_text("externalscaler.proto")
        files["Dockerfile"] = _DOCKERFILE.format(**names)
        files["deploy.yaml"] = _DEPLOY.format(**names)
        queries = {
            "whole": {"rps": "sum(rate(requests_total[30s]))"},
            "deployments": {
                name: {
                    "ready": f'kube_deployment_status_replicas_ready{{deployment="{name}"}}',
                    "waiting": f'sum(requests_waiting{{deployment="{name}"}})',
                    "busy": f'avg(busy_fraction{{deployment="{name}"}})',
                }
                for name in config["deployments"]
            },
        }
        config |= {"prometheus": "http://prometheus.monitoring:9090", "queries": queries}
        files["scaling.json"] = json.dumps(config, indent=2) + "\n"
        return files


EXPORTER = KedaExporter()
