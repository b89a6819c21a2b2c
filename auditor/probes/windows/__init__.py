"""The dialects that probes speak on Windows; the probe of the same name imports one when a host speaks it. Pure."""
