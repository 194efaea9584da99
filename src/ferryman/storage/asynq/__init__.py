"""Jobs on Redis in asynq's format, which Go programs share (spec/asynq.md)."""
