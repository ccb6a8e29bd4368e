"""What crpack does: one function a verb, grouped by user; prints nothing, returns values."""
