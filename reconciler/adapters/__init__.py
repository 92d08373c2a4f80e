"""The only code that touches the world; chosen by the composition root alone."""
