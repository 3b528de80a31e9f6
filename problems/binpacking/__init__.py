"""Online bin packing (``problem=binpacking``)."""
