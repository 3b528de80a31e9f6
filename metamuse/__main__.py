"""``python -m metamuse``."""

from __future__ import annotations

import sys

from metamuse.cli import main

if __name__ == "__main__":
    sys.exit(main())
