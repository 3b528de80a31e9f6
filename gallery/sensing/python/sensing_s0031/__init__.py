"""sensing policy s0031, News Volatility Watchful."""

from .policy import Policy
from .soil_node import Action, Gateway, SoilNode

__all__ = ["Action", "Gateway", "Policy", "SoilNode"]
