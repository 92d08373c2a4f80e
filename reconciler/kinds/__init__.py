"""The kinds, one folder each: `schema.py`, and a `handler` with observe, plan and steps."""
