"""`ferryman top`: everything at one look, again and again (spec/cli.md 4.7)."""
