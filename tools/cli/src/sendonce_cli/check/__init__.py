"""Seven phases that show what a deployment can, as behaviour of what runs."""
