"""``python -m problems.sensing.example plot.yaml`` writes a complete deployment file, with comments, to copy and edit."""

from __future__ import annotations

import sys
from pathlib import Path

#: The file.
EXAMPLE = Path(__file__).with_name("plot.yaml")


def main(arguments: list[str]) -> int:
    """Write the file; 2 if it cannot be, or one is there already."""
    if len(arguments) != 1:
        print("python -m problems.sensing.example <new file, such as plot.yaml>", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE.read_text(encoding="utf-8"))
    except FileExistsError:
        print(f"{path} is there already; name a new file.", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{path} cannot be written ({error.strerror}).", file=sys.stderr)
        return 2
    print(
        f"{path} is yours to edit; then: python -m metamuse score problem=sensing policy=split_fixed workloads={path} out=results"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
