"""The acceptance script: plays what spec/briefings.md 6.8 asks of Briefings, on each storage, with real processes.

`make accept` runs it.  It stands on what the tests have for starting servers and programs
(tests/servers.py, tests/whole/program.py), but is none of them: it takes minutes, and its
transcript is part of the documentation (docs/accept.md).
"""
