"""`houmao project agents launch-profiles`: defaults that agents of a recipe are born with."""

from reconciler.cli.profile_commands import commands

COMMANDS = commands("explicit", "project agents launch-profiles", "recipe", "add")
