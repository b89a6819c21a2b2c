"""The parts of the text report, each of the run's data lines in a style. Pure."""
