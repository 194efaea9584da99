"""The engine: small services that know the seam and nothing behind it."""
