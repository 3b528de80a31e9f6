"""Cache replacement (``problem=cache``)."""
