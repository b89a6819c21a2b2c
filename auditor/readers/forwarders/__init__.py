"""Where the agents that send logs are set to send them, one agent's configuration a module. Pure."""
