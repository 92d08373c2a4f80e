"""A command line with as many commands as the project has, by the standard library's parser: help, or a usage error."""

import argparse
import sys

COMMANDS = (
    "apply", "plan", "diff", "validate", "get", "describe", "explain", "api-resources", "delete", "export", "wait",
    "logs", "attach", "doctor", "lock", "project", "brains",
)  # fmt: skip

parser = argparse.ArgumentParser("houmao", description="Declare a fleet of CLI agents; plan and apply it on real tmux.")
parser.add_argument("--version", action="store_true", help="print the version")
commands = parser.add_subparsers(dest="command", required=True)
for name in COMMANDS:
    command = commands.add_parser(name, help=f"what {name} does")
    command.add_argument("-f", "--file", action="append", help="files or directories")
    command.add_argument("-o", "--output", choices=("text", "json"), help="how to print it")
    command.add_argument("-y", "--yes", action="store_true", help="do not ask")
try:
    parser.parse_args()
except SystemExit as end:
    sys.exit(64 if end.code == 2 else end.code)
