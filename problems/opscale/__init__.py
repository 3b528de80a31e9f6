"""``problem=opscale``."""
