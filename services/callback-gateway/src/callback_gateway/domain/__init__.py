"""What a callback is worth and what becomes of it. Pure: no I/O, no clock, no logging."""
