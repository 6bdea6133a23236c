"""Owns the database; the only judge of what a job becomes."""
