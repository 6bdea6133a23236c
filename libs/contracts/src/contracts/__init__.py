"""Facts, requests, subjects and streams: all that the services share."""
