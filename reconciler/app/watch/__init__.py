"""The watch: the engine of `apply` in a loop that wakes when something may have changed (R §13)."""
