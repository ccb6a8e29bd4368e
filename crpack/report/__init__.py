"""Results as a table and as a static page; pure: values in, bytes out."""
