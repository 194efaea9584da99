"""What River's storages do, written once: generators that yield steps and receive rows."""
