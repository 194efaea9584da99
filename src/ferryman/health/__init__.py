"""How a worker is, for those who watch it from outside: over HTTP, and as a file (spec/ops.md 5.5)."""
