"""asynq's format, async."""
