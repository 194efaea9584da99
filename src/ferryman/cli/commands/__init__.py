"""The commands, a file for each; imported when they are used."""
