"""Toolchains: compilers and binutils for one target, chosen from the facts of a machine."""
