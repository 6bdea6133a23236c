"""Two versions side by side: the other one is checked out by its git ref and runs from its own lock."""
