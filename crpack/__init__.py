"""crpack: package an ML solution once; install it natively on any machine."""

from __future__ import annotations

__version__ = "0.1.0"
