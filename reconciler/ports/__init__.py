"""Protocols the core speaks, and the small values they speak. Standard library only."""
