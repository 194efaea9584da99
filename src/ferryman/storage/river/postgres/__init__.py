"""River's format on Postgres: connections, how verbs run on them, and what is heard there."""
