"""The command line: verbs and flags, and the one place that prints."""
