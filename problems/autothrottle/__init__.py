"""CPU control for SLO-targeted microservices (``problem=autothrottle``)."""
