"""Shows each result exactly once in its Telegram chat."""
