"""Simulated users, metrics, the published protocol and its reports."""
