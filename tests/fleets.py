"""The fleet that most stories of a whole overlay begin with."""

from reconciler.testing.world import World

FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
---
kind: Instance
metadata: {name: bob}
spec: {specialistRef: coder}
"""


def declared(world: World) -> None:
    """alice and bob, and the prompt they have in common; nothing is applied."""
    world.given_file("prompts/coder.md", "You write code.\n")
    world.given(FLEET)
