"""Nine phases of one generation, end to end, through a deployment that runs."""
