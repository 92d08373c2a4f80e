"""One module per command, imported when the command runs; its table says what may be written, its function what happens."""
