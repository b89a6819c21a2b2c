"""What is asked of a tree of files alone, a probe each: its commands and what they tell."""
