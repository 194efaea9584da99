"""Who comes in: the door that every request passes, the ways to say who one is, and what each may do."""
