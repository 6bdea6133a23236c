"""The outside world as cheap as it can be played, each part in a process of its own."""
