"""A JetStream of three nodes under the five services."""
