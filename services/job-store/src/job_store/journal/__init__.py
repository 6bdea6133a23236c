"""The store's statements without a database: rows in memory, every commit a line of a journal on disk."""
