"""One module per command group: read the arguments, ask, hand the answer to its screen."""
