"""autothrottle policy s0001, Size Excess Pushed."""

from .policy import Policy
from .throttle_engine import DEFAULT_TARGET, ApplicationLaw, ServiceLaw

__all__ = ["DEFAULT_TARGET", "ApplicationLaw", "Policy", "ServiceLaw"]
