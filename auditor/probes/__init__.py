"""One question a file, all its platforms in it. Pure."""
