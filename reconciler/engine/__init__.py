"""The engine: compare, plan, order, run. Knows nothing of tmux, SQLite, providers or any kind."""
