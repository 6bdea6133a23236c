"""Bus entry points and the steps of each action; every rule lives in domain."""
