"""What a person sees; nothing here asks or changes anything."""
