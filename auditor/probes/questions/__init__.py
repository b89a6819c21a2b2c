"""Questions too long to stand in their probe, and what they answered, taken apart. Pure."""
