"""Asking a running deployment to show what it can: probes in phases, and what they found."""
