"""Asks KIE about tasks whose callback is missing."""
