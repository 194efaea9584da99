"""The seam, async."""
