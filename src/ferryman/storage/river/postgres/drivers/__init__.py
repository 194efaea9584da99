"""The callers' own connections, whatever driver or framework they are of: each is adapted to one face."""
