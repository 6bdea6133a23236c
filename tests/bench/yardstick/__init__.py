"""What everything is measured beside: a bare FastStream loop without any promise."""
