"""Accepted objects: the table, its steps back and forth, the journal and session files."""
