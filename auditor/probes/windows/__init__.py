"""The dialects that probes speak on Windows, each beside no other and imported by the probe of the same name. Pure."""
