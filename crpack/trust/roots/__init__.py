"""The signed head of an index: roles, keys, versions, freshness (SPEC TUF-01…)."""
