"""twin: simulation of industrial parts as a service."""
