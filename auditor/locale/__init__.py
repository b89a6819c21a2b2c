"""The catalogues: one JSON file a language, from our English sentences to theirs."""
