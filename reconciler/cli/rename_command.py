"""`… rename`, said once for every family."""

from reconciler.cli import authoring
from reconciler.cli.grammar import Args, Command, Example, Option, Usage


def command(path: str, kind: str, *, lane: str = "", inside: tuple[Option, ...] = (), typed: str = "") -> Command:
    """That of one family; `lane` is that of profiles, `typed` how the path is written where a value is inside."""

    def rename(args: Args) -> int:
        from reconciler.app.authoring import renaming
        from reconciler.cli import places

        name, to, tool = authoring.name_of(args), args.text("to"), args.text("tool")
        if not to:
            raise Usage(f"{path} rename needs --to NAME", f"`houmao {path} rename --help` has an example")
        if inside and not tool:
            raise Usage(f"{path} rename needs to know the tool", f"houmao {typed} rename --name {name} --to {to}")
        return authoring.changed(
            args, lambda talk: renaming.rename(places.flags(args), kind, name, to, talk, lane=lane, tool=tool)
        )

    return Command(
        f"{path} rename",
        "Give it another name; it stays the same thing.",
        rename,
        options=(*inside, authoring.NAME, Option(("--to",), "The new name.", "NAME"), *authoring.CHANGING),
        examples=(Example(f"houmao {typed or path} rename --name old --to new", "whoever refers to it follows"),),
        notes="What a manifest declares, or names, is renamed there with a Moved document.",
        own=authoring.CODES,
    )
