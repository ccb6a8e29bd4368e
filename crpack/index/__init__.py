"""The static index: its entries, who may publish, reading it, and planning what is published."""
