"""Speed, measured: worker and client in separate processes, medians of several runs."""
