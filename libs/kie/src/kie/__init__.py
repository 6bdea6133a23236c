"""The KIE dialects: reading callbacks and polls, creating tasks, signatures."""
