"""Connections to Postgres, written async; the sync twin is generated."""
