"""What the exit codes of the commands mean, as their help says it. Pure."""

EXIT_CODES = """\b
Exit codes:
  0    everything planned was measured, and no open failure reaches --fail-on
  1    an open failure does
  2    unusable input, or nothing to audit
  3    no such failure, but something was not measured
  130  interrupted
"""

DOCTOR_CODES = """\b
Exit codes:
  0    every host that is to be asked answered, as root where that is wanted
  2    unusable input, or nobody to ask
  3    something was not reached
  130  interrupted
"""

REPORT_CODES = """\b
Exit codes:
  0    the audit was reported
  2    unusable input
  3    the audit is older than --max-age
With -f nagios they are a plugin's: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
"""

DIFF_CODES = """\b
Exit codes:
  0    nothing is new, worse, or lost its decision, and all is still told that was
  1    something is
  2    unusable input
  3    no such, but something is not told any more, or not asked
"""

CHECK_CODES = """\b
Exit codes:
  0    every record that is not over is in force
  1    one is void, or void in part; or an ended one was altered
  2    unusable input: a wrong shape, a file that cannot be read
"""

DRAFT_CODES = """\b
Exit codes:
  0    the letter was written, or there is nothing to decide and all was measured
  2    unusable input
  3    there is nothing to decide, but something was not measured
"""
