"""The rooms of SSH by paramiko, from an address to the answers that come back from it."""
