"""Values every layer speaks. Standard library only; imports nothing above."""
