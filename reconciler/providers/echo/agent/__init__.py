"""The parts of the stand-alone echo agent; `program.py` beside this folder starts it. Imports nothing outside it."""
