"""Takes KIE's callbacks and stores them on the bus."""
