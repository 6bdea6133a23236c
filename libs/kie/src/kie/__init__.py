"""What KIE says and how it is told: readings, signatures, callback tokens, classes, the API."""
