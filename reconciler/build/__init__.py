"""The build phase: from a resolved request to a home, a manifest and a launch plan, all of them values."""
