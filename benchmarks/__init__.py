"""Benchmarks: the node and a real Synapse side by side on loopback, compared by server CPU per unit of work."""
