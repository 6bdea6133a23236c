"""The SDK for bot developers."""
