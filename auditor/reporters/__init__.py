"""One report format each: a run in, bytes to a sink out. Pure but for that sink."""
