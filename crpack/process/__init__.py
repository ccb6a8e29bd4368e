"""Starting programs: limits, a clean environment, a sandbox, and nothing left behind."""
