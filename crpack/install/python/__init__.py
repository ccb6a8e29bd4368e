"""Python dependencies: interpreters, wheel locks, a cache of wheels, environments."""
