"""Where a collector keeps records: the texts that ask for it, and the answers in; stores with their senders out. Pure."""
