"""`houmao project easy profile`: defaults that agents of a specialist are born with."""

from reconciler.cli.profile_commands import commands

COMMANDS = commands("easy", "project easy profile", "specialist", "create")
