"""Choosing versions: a problem in, an answer or a reason out; nothing is read or fetched here."""
