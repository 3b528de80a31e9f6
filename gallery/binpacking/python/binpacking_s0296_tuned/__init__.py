"""binpacking policy s0296-tuned, Future Outlook Levels (tuned)."""

from .packer import Packer
from .policy import Policy

__all__ = ["Packer", "Policy"]
