"""The sections of the HTML page, each of the run's data what the template shows. Pure."""
