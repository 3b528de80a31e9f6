"""autothrottle policy s0452, Sure Time Trend."""

from .policy import Policy
from .throttle_engine import DEFAULT_TARGET, ApplicationLaw, ServiceLaw

__all__ = ["DEFAULT_TARGET", "ApplicationLaw", "Policy", "ServiceLaw"]
