"""The conformance suite: a file per part and verb, run on every storage."""
