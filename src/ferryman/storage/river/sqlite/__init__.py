"""River's format on SQLite: where the file is, the one connection and its thread, and what is heard of others."""
