"""The dialects that long probes speak on Linux; the probe of the same name imports one when a host speaks it. Pure."""
