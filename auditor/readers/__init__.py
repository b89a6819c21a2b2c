"""One file format each: text in, values out. Pure."""
