"""Who vouches for an archive: keys, signatures over manifests, and pinned keys with name scopes."""
