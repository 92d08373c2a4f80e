"""Edits that change nothing: comments, key order, quoting, where a document stands."""

from reconciler.testing.world import World


def test_a_comment_or_another_key_order_plans_nothing(world: World) -> None:
    world.given("""
        kind: Specialist
        metadata: {name: coder}
        spec: {provider: echo, prompt: You write code.}
        ---
        kind: Instance
        metadata: {name: alice}
        spec: {specialistRef: coder, readiness: [process, prompt]}
    """)
    world.when_applied()

    world.given("""
        # The one who writes.
        apiVersion: houmao/v1alpha1
        spec:
          prompt: "You write code."   # the whole prompt
          provider: 'echo'
        metadata:
          name: coder
        kind: Specialist
    """)
    world.given(
        """
        kind: Instance
        spec: {readiness: [prompt, process], "specialistRef": coder, state: Running}
        metadata: {name: alice}
        """,
        "another-file.yaml",
    )

    assert world.when_planned().lines == []
    assert world.when_planned().in_sync
