"""What is done with jobs in asynq's format, written once for async and sync."""
