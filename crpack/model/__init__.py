"""Values and their text forms: names, versions, platforms, recipes, manifests, locks, facts."""
