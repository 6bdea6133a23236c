"""Every place where a service waits for the outside has a name, and can be made its last."""
