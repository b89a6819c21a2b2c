"""Reads the files that people write, and gives nouns or every error at once."""
