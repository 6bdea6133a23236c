"""Measures sendonce beside a bare FastStream loop, both in one run on one machine."""
