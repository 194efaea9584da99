"""The JSON API: the same filters, words and rules as the pages (spec/dashboard.md 2.0.5)."""
