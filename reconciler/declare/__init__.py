"""Text to values and back: YAML read strictly, resources with positions, references resolved, files edited."""
