"""Detection: what a machine is and what is installed on it, as facts."""
