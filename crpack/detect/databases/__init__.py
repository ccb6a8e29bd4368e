"""The databases of package managers, read by crpack itself: one module each."""
