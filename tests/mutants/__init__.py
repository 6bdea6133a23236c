"""Does the proof bite? Each guard is taken out once, and a named test must fail."""
