"""Puts jobs in, async."""
