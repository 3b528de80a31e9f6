"""``target=kubernetes``: an agent for every node, a controller for the application, and what deploys them."""

from __future__ import annotations

from metamuse.export.base import Material, runtime_text
from metamuse.export.targets.python import package_files

#: Modules beside those of the Python target.
_MODULES = ("cgroup", "pods", "target_client", "node_agent", "cluster_controller")

_COMMAND = '''"""{heading}: `python -m {package}.{name} --help`."""

import sys

from .{module} import main
from .policy import Policy

if __name__ == "__main__":
    sys.exit(main(Policy))
'''

_DOCKERFILE = """FROM python:3.12-slim
COPY {package} /opt/policy/{package}
ENV PYTHONPATH=/opt/policy PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["python", "-m"]
CMD ["{package}.agent", "--help"]
"""

_CONFIG = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: {name}
data:
  # services: 1 for the few with most of the CPU usage. queries: each gives one number, over the last minute.
  config.json: |
    {{
      "services": {{"frontend": 1, "search": 1, "profile": 0}},
      "slo_ms": 200,
      "node_cores": 32,
      "prometheus": "http://prometheus.monitoring:9090",
      "queries": {{
        "rps_10s": "sum(rate(http_requests_total{{app=\\"frontend\\"}}[30s]))",
        "p50_ms": "1000 * histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{{app=\\"frontend\\"}}[1m])))",
        "p90_ms": "1000 * histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{{app=\\"frontend\\"}}[1m])))",
        "p95_ms": "1000 * histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{app=\\"frontend\\"}}[1m])))",
        "p99_ms": "1000 * histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{{app=\\"frontend\\"}}[1m])))",
        "rps": "sum(rate(http_requests_total{{app=\\"frontend\\"}}[1m]))"
      }}
    }}
"""

_RBAC = """apiVersion: v1
kind: Namespace
metadata:
  name: {name}
  labels:
    pod-security.kubernetes.io/enforce: privileged  # the agent mounts a folder of the node
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: agent
  namespace: {name}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {name}-agent
rules:
  - apiGroups: [""]
    resources: ["pods"]
    verbs: ["list"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {name}-agent
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {name}-agent
subjects:
  - kind: ServiceAccount
    name: agent
    namespace: {name}
"""

_AGENT = """apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: agent
  namespace: {name}
spec:
  selector:
    matchLabels: {{app: agent}}
  template:
    metadata:
      labels: {{app: agent}}
    spec:
      serviceAccountName: agent
      terminationGracePeriodSeconds: 30
      priorityClassName: system-node-critical
      containers:
        - name: agent
          image: registry.example/{package}:1
          args:
            - "{package}.agent"
            - --root=/host/cgroup
            - --state=/var/lib/{name}/limits.json
            - --slo-ms=200
            - --services=3
            - --label=app
            - --namespace=default
            - --controller=http://controller.{name}:8080
            - --dry-run  # shadow mode: remove it when the log has convinced you
          env:
            - name: NODE_NAME
              valueFrom: {{fieldRef: {{fieldPath: spec.nodeName}}}}
            - name: CONTROLLER_TOKEN
              valueFrom: {{secretKeyRef: {{name: controller-token, key: token, optional: true}}}}
          resources:
            requests: {{cpu: 200m, memory: 64Mi}}
            limits: {{memory: 256Mi}}
          securityContext:
            runAsUser: 0
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: ["ALL"]}}
          volumeMounts:
            - {{name: cgroup, mountPath: /host/cgroup}}
            - {{name: state, mountPath: /var/lib/{name}}}
      volumes:
        - name: cgroup
          hostPath: {{path: /sys/fs/cgroup, type: Directory}}
        - name: state
          hostPath: {{path: /var/lib/{name}, type: DirectoryOrCreate}}
"""

_CONTROLLER = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: controller
  namespace: {name}
spec:
  replicas: 1
  strategy: {{type: Recreate}}
  selector:
    matchLabels: {{app: controller}}
  template:
    metadata:
      labels: {{app: controller}}
    spec:
      automountServiceAccountToken: false
      containers:
        - name: controller
          image: registry.example/{package}:1
          args: ["{package}.controller", "--config=/etc/{name}/config.json"]
          env:
            - name: CONTROLLER_TOKEN
              valueFrom: {{secretKeyRef: {{name: controller-token, key: token, optional: true}}}}
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet: {{path: /healthz, port: 8080}}
          resources:
            requests: {{cpu: 100m, memory: 64Mi}}
            limits: {{memory: 256Mi}}
          securityContext:
            runAsNonRoot: true
            runAsUser: 65532
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: ["ALL"]}}
          volumeMounts:
            - {{name: config, mountPath: /etc/{name}}}
      volumes:
        - name: config
          configMap: {{name: {name}}}
---
apiVersion: v1
kind: Service
metadata:
  name: controller
  namespace: {name}
spec:
  selector: {{app: controller}}
  ports:
    - port: 8080
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: controller
  namespace: {name}
spec:
  podSelector:
    matchLabels: {{app: controller}}
  policyTypes: ["Ingress"]
  ingress:
    - from:
        - podSelector:
            matchLabels: {{app: agent}}
      ports:
        - port: 8080
"""


class KubernetesExporter:
    """See :class:`metamuse.export.base.Exporter`."""

    name = "kubernetes"
    summary = "an agent for every node and a controller, with manifests; plain Python"
    problems = ("autothrottle",)
    requires: tuple[str, ...] = ()

    def usage(self, problem: str) -> str:
        return """    docker build -t registry.example/{package}:1 . && docker push registry.example/{package}:1
    kubectl apply -f deploy/          # after you have put in your image, services, objective and queries

The agent of a node reads `cpu.stat` of its pods' control groups every 100 ms, decides, and writes `cpu.max`. Pods are
found by a label that names their service (`--label`). The controller asks Prometheus for requests and latencies once a
minute, hears what the nodes saw, and gives every service its target.

**Shadow mode** is how it is delivered: with `--dry-run` the agent reads, decides and logs, and writes nothing. Each minute
it logs for every pod `used_cores`, `wanted_cores` and what `cpu.max` says. A law in shadow mode believes that its own limit
holds, so the throttling that it sees is that of the limit that does hold.

Without Kubernetes:

    python -m {package}.agent --root /sys/fs/cgroup --state limits.json --slo-ms 200 --services 3 --pods pods.json --dry-run
"""

    def assumptions(self, problem: str) -> list[str]:
        return [
            "cgroup v2 with the cpu controller; kubelet's names of groups (systemd or cgroupfs driver).",
            "Pods have no CPU limits of their own. Where they have, kubelet may write the limit again (pod resize, restart of a container), and the agent notices nothing.",
            "One pod is one service of the policy; several pods of a service have a law each and the service's target.",
            "A limit is a quota per 100 ms; runtimes that size their pools from it at the start (GOMAXPROCS, JVM) see what holds then.",
            "The manifests were checked as YAML and the programs run outside of a cluster; they were not deployed on one.",
        ]

    def fallback(self, problem: str) -> str:
        return (
            "If the policy fails for a pod, Captain takes over there from the full limit on; if it fails in the controller, or "
            "the controller cannot be heard for three minutes, all targets are 0.1; if latencies are missing for three minutes, "
            "too. Each is logged as an error once, and the agent's line of the minute holds `fallback`.\n\n"
            "Limits that were there before come back when the agent ends, by SIGTERM, SIGINT, SIGHUP or an error. They are in the state "
            "file, on the disk, before the first write; after kill -9 or a crash of the node the next start gives them "
            "back first. A group that was made anew since then (another inode) is left alone."
        )

    def files(self, material: Material) -> dict[str, str]:
        package = material.package
        names = {"package": package, "name": package.replace("_", "-")}
        files = package_files(material)
        for module in _MODULES:
            files[f"{package}/{module}.py"] = runtime_text(f"{module}.py")
        for name, module, heading in (
            ("agent", "node_agent", "The agent of a node"),
            ("controller", "cluster_controller", "The controller of the application"),
        ):
            files[f"{package}/{name}.py"] = _COMMAND.format(
                name=name, module=module, heading=heading, package=package
            )
        files["Dockerfile"] = _DOCKERFILE.format(**names)
        for name, text in (
            ("0-access", _RBAC),
            ("1-config", _CONFIG),
            ("2-controller", _CONTROLLER),
            ("3-agent", _AGENT),
        ):
            files[f"deploy/{name}.yaml"] = text.format(**names)
        return files


EXPORTER = KubernetesExporter()
