"""Commands to one script, and the stream that comes back to answers. Pure."""
