"""Reading the headers of programs and libraries: pure functions from bytes to values."""
