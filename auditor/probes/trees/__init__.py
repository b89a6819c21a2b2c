"""The dialects that probes speak of a tree of files; the probe of the same name imports one when a host speaks it. Pure."""
