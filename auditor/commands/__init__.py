"""One file a sub-command: plain values in, an exit code out; the only place that prints and reads the clock."""
