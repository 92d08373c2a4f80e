"""Say where things are: `status.py <database>`; finds the project upwards, opens the database, prints JSON."""

import json
import os
import sqlite3
import sys

here = os.getcwd()
while not os.path.isdir(os.path.join(here, ".houmao")) and here != "/":
    here = os.path.dirname(here)
version = sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version").fetchone()[0]
print(json.dumps({"root": here, "cwd": os.getcwd(), "catalog": sys.argv[1], "version": version}, indent=2))
