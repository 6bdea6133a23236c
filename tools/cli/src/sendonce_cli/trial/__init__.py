"""Many jobs through a deployment that runs on sandboxes, each of them judged."""
