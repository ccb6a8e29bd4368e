"""Getting bytes from elsewhere: transport, download, foreign archives."""
