"""What antivirus and EDR products tell of themselves on Linux; whether they watch, and how fresh they are, out. Pure."""
