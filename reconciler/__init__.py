"""Declare a fleet of CLI agents in YAML, and make what runs match it."""

__version__ = "0.1.0"
