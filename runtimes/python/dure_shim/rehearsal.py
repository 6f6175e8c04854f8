"""Imported by a process that rehearses its first call."""
