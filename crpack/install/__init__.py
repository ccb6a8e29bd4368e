"""Installing: store, transactions, generations, plans, Python environments."""
