"""The compose files on a real Docker engine: up from nothing, killed, upgraded, in two replicas."""
