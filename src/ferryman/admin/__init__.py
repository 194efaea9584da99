"""Looks at everything, acts on anything."""
