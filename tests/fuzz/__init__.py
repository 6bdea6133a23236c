"""Fuzzing: what nobody promised to send, at every reader, subject and port; `make fuzz`."""
