"""`python -m auditor`."""

from auditor.cli import program

program()
