"""The whole system on this machine: servers, services, sandboxes, and who restarts them."""
