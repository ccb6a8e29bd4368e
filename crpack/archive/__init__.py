"""The `.crpkg` archive: its layout in bytes, its writer, its strict reader.

Free of keys and signatures' worth: that is `trust`.
"""
