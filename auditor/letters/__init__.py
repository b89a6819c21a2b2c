"""The letter that asks an owner what it decides, and the records that its signed reply makes. Pure."""
