"""Is every right needed, and nothing more? Real servers with the generated rights, and each right taken away once."""
