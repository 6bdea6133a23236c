"""What a job may become next. Pure: no I/O, no clock, no logging."""
