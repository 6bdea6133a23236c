"""The sendonce command."""
