"""``python -m problems.sensing.records plot.yaml``: what a deployment's records hold, and what is wrong in them."""

from __future__ import annotations

import sys

from evaluators.base import WorkloadError
from evaluators.sensing.deployment import read_deployment
from evaluators.sensing.records import read_records, report


def main(arguments: list[str]) -> int:
    """Print the report; 2 if there is none."""
    if len(arguments) != 1:
        print("python -m problems.sensing.records <deployment file>", file=sys.stderr)
        return 2
    try:
        deployment = read_deployment(arguments[0])
        if deployment.records is None:
            raise WorkloadError(f"{arguments[0]} names no records; add records: with file: readings.csv")
        records = read_records(deployment.records, deployment.longitude)
    except WorkloadError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(report(records)))
    strange = sorted(set(records.nodes) - {place.node.name for place in deployment.places})
    if strange:
        print(f"- not in the deployment: {', '.join(strange)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
