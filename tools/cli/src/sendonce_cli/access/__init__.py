"""Who may do what in NATS: the keys of its users, and the configuration made of the table of permissions."""
