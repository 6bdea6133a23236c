"""A run of many jobs through a hostile world, and the proof that each was shown once."""
