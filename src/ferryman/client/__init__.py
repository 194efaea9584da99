"""Puts jobs in."""
