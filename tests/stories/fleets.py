"""Fleets that several stories begin with."""

CODER = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md}
"""

CODER_AND_TESTER = (
    CODER
    + """---
kind: Specialist
metadata: {name: tester}
spec: {provider: echo, prompt: You test code.}
"""
)


def instance(name: str, spec: str = "specialistRef: coder", labels: str = "") -> str:
    """One document more."""
    return f"---\nkind: Instance\nmetadata: {{name: {name}, labels: {{{labels}}}}}\nspec: {{{spec}}}\n"


ALICE = CODER + instance("alice")
ALICE_BOB_CAROL = CODER_AND_TESTER + instance("alice") + instance("bob") + instance("carol", "specialistRef: tester")
PROMPT = "prompts/coder.md"
TEXT = "You write code.\n"
