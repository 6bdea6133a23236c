"""Real servers, honest doubles and builders for tests and demos; never in production."""
