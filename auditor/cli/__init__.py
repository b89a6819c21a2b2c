"""The command line: options, help and exit codes. Imports only click; what a command does is imported when it is called."""

from auditor.cli.entry import main, program
from auditor.cli.exit_codes import EXIT_CODES

__all__ = ["EXIT_CODES", "main", "program"]
