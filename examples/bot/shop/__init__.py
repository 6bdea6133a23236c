"""A small shop of pictures, videos and songs in Telegram."""
