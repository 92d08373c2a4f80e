"""What a look of a watch costs: what changed, not what is declared."""

from reconciler.app.request import PlanFlags, Source
from reconciler.app.session import opened
from reconciler.app.watch.source import Sources
from reconciler.testing.fake_world import FakeWorld

AGENT = "kind: Instance\nmetadata: {name: %s}\nspec: {specialistRef: coder, reasoning: %d}\n"


def test_a_compile_parses_what_was_saved_and_a_broken_one_leaves_the_rest(fake_world: FakeWorld) -> None:
    fake_world.initialised()
    fake_world.given("kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: Code.}", "coder.yaml")
    for number in range(20):
        fake_world.given(AGENT % (f"agent-{number}", 1), f"agent-{number}.yaml")
    with opened(fake_world.flags) as session:
        sources = Sources(session, Source((str(fake_world.source),)), PlanFlags(), lambda kind, fields: None)

        def compiled() -> tuple[bool, int]:
            return sources.compile(), sources.memo.parsed

        assert compiled() == (True, 21)
        assert compiled() == (False, 0)
        fake_world.given(AGENT % ("agent-7", 2), "agent-7.yaml")
        assert compiled() == (True, 1)
        good = sources.desired
        fake_world.given("kind: [\n", "agent-7.yaml")
        fake_world.given(AGENT % ("agent-8", 2), "agent-8.yaml")
        assert compiled() == (False, 2)
        assert sources.desired is good
        fake_world.given(AGENT % ("agent-7", 2), "agent-7.yaml")
        assert compiled() == (True, 1)
        assert len(sources.memo) == 21
        assert session.reader.providers._loaded.keys() == {"echo"}  # type: ignore[attr-defined]
