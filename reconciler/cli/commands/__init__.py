"""One module per command, imported when it runs: its table says what may be written, its function what happens."""
