"""Briefings: a small web program that shows the whole life of a job."""
