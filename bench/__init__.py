"""Benchmarks: each operation beside its floor, in turn, in the same run (docs/concepts/performance.md).

`python -m bench` prints one JSON line per benchmark and a table at the end. A floor is the smallest program that does
the same job with the standard library, PyYAML's C loader where YAML must be parsed, and one call of tmux; they are the
scripts in `floors/`. Figures are ratios, taken pair by pair: absolute times belong to one computer.
"""
