"""Online bin packing: the simulator."""
