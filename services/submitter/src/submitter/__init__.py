"""Creates KIE tasks, one call per request."""
