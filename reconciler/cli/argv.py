"""What is put right on a command line before it is parsed (R-CLI-10).

A few options may stand without their value, or carry one although they are flags. They are rewritten to the one
spelling the parser knows. A word that is the value of the option before it is never touched, nor anything after `--`.
"""

from collections.abc import Collection, Sequence

ALONE = {"--dry-run": "--dry-run=client", "--override": "--override=1h", "--cascade": "--cascade=yes"}
"""Options that mean something without a value; a value needs `=`. Where a command has one as a flag, it stays one."""

SWITCHES = {
    "--wait=true": "--wait",
    "--wait=false": "--no-wait",
    "--cascade=true": "--cascade=yes",
    "--cascade=false": "--cascade=no",
}


def normalised(words: Sequence[str], valued: Collection[str]) -> list[str]:
    """The same words in their one spelling; `valued` are the options whose next word is their value."""
    result: list[str] = []
    held = False
    for index, word in enumerate(words):
        if held:
            result.append(word)
            held = False
            continue
        if word == "--":
            return [*result, *words[index:]]
        held = word in valued and word not in ALONE
        alone = ALONE.get(word) if word in valued else None
        result.append(alone or SWITCHES.get(word) or word)
    return result
