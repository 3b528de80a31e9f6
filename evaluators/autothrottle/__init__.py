"""CPU control of microservices under a latency objective: CFS quotas, request graphs, closed-loop load."""
