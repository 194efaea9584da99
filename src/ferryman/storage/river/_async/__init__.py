"""River's format, async."""
