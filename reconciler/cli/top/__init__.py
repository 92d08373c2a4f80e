"""`houmao top`: what it says (`view`), what its keys do (`desk`), and the terminal it does that in (`live`).

Only `live` knows of Textual; who prints the table once does not load it.
"""
