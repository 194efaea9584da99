"""Background jobs for Python that share their queues with Go."""

__version__ = "0.1.0"
