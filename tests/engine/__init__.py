"""The engine's services, each by its tick, on SQLite in memory and with time in hand."""
