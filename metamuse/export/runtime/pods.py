"""Which pods of a node belong to which service, and where their control groups are."""

from __future__ import annotations

import json
import os
import ssl
import urllib.parse
import urllib.request
from pathlib import Path

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PATIENCE_S = 10.0


def from_api(node: str, label: str, namespace: str) -> dict[str, str]:
    """Service by pod uid, of the running pods of a node that carry a label with the service's name.

    Raises:
        OSError: The API server cannot be reached, or refuses.
        ValueError: Its answer is not what it should be.
    """
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if ":" in host:
        host = f"[{host}]"
    asked = urllib.parse.urlencode({"fieldSelector": f"spec.nodeName={node}", "labelSelector": label})
    where = f"/namespaces/{urllib.parse.quote(namespace)}" if namespace else ""
    request = urllib.request.Request(f"https://{host}:{port}/api/v1{where}/pods?{asked}")
    token = (_ACCOUNT / "token").read_text(encoding="ascii").strip()
    request.add_header("Authorization", f"Bearer {token}")
    context = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))
    with urllib.request.urlopen(request, timeout=_PATIENCE_S, context=context) as answer:
        return of_list(json.load(answer), label)


def of_list(pods: object, label: str) -> dict[str, str]:
    """Service by pod uid, of a list of pods as the API gives it.

    Raises:
        ValueError: It is no such list.
    """
    try:
        return {
            pod["metadata"]["uid"]: pod["metadata"]["labels"][label]
            for pod in pods["items"]  # type: ignore[index]  # what it is shows here
            if pod.get("status", {}).get("phase") in (None, "Pending", "Running")
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a list of pods: {error}") from None


def from_file(file: Path) -> dict[str, str]:
    """Service by pod uid, from a file with a JSON object.

    Raises:
        OSError: There is none.
        ValueError: It holds something else.
    """
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"{file} holds no object")
    return {str(uid): str(service) for uid, service in found.items()}


def groups_of(root: Path, uids: set[str]) -> dict[str, Path]:
    """The control groups of pods by uid, as kubelet names them (systemd or cgroupfs driver)."""
    found: dict[str, Path] = {}
    wanted = {f"pod{uid}": uid for uid in uids} | {f"pod{uid.replace('-', '_')}": uid for uid in uids}
    todo = [path for path in root.glob("kubepods*") if path.is_dir()]
    while todo:
        path = todo.pop()
        name = path.name.removesuffix(".slice")
        uid = wanted.get(name[name.rfind("pod") :]) if "pod" in name.removeprefix("kubepods") else None
        if uid is not None:
            found[uid] = path
            continue
        try:
            todo += [child for child in path.iterdir() if child.is_dir()]
        except OSError:
            continue  # it is gone
    return found
