"""What the daemons that keep a clock tell of it, one format a module. Pure."""
