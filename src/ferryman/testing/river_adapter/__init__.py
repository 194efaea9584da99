"""The adapter with which River's conformance harness tests ferryman: `python -m ferryman.testing.river_adapter`.

The harness starts one such process beside one of Go's, gives both the same database, and
compares what they do.  It speaks JSON-RPC on standard input and output, a line for each
request and each answer (spec/river-conformance.md 1).
"""
