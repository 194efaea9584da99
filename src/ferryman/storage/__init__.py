"""The seam between the engine and the storages: a protocol in six parts, and the values that cross it."""
