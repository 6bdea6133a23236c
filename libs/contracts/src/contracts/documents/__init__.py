"""The contracts as documents: who says what to whom, as AsyncAPI. For people and tools; no service reads it."""
