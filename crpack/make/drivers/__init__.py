"""Drivers: one module each, a pure function from a task to steps."""
