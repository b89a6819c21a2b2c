"""One way in to a host each."""
