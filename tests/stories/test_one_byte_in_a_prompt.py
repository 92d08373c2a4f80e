"""A prompt file changes by one byte: what uses it is relaunched, with the path that forced it, and nothing else."""

from reconciler.testing.world import World
from tests.stories.fleets import ALICE_BOB_CAROL, PROMPT, TEXT


def test_one_byte_gives_one_update_and_a_relaunch_of_each_user(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL)
    world.when_applied()
    uids, carol = world.uids, world.session_of("carol")
    homes = {name: world.home_of(name) for name in ("alice", "bob")}
    diary = homes["alice"] / "diary.txt"
    diary.write_text("what the agent itself wrote\n")

    world.given_file(PROMPT, TEXT.replace("code", "Code"))
    report = world.when_applied()

    assert report.told == [
        "update Specialist/coder SpecChanged",
        "relaunch Instance/alice LaunchDigestChanged",
        "relaunch Instance/bob LaunchDigestChanged",
    ]
    for name in ("alice", "bob"):
        (reason,) = report.actions[f"Instance/{name}"].reasons
        assert reason.paths == ("Specialist/coder.spec.promptFile#content",)
        assert report.actions[f"Instance/{name}"].disruption.value == "restart"
    assert report.settled
    assert world.session_of("carol") == carol
    assert world.uids == uids
    assert {name: world.home_of(name) for name in homes} == homes
    assert diary.read_text() == "what the agent itself wrote\n"
    assert "You write Code." in (homes["alice"] / "ROLE.md").read_text()
    assert world.rows["Specialist/coder"].generation == 2
    assert world.rows["Instance/alice"].generation == 1
    assert world.when_planned().in_sync


def test_under_resume_new_the_relaunch_loses_the_conversation_and_says_so(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given("""
        kind: Specialist
        metadata: {name: coder}
        spec: {provider: echo, promptFile: prompts/coder.md}
        ---
        kind: Instance
        metadata: {name: alice}
        spec: {specialistRef: coder, resume: {mode: new}}
    """)
    fake_world.when_applied()

    fake_world.given_file(PROMPT, "Something else.\n")
    report = fake_world.when_applied()

    assert report.actions["Instance/alice"].verb.value == "relaunch"
    assert report.actions["Instance/alice"].disruption.value == "loses-conversation"


def test_a_changed_skill_reaches_the_agents_of_a_recipe_that_did_not_change(fake_world: World) -> None:
    fake_world.given_file("skills/review/SKILL.md", "---\nname: review\ndescription: Twice.\n---\nLook twice.\n")
    fake_world.given("""
        kind: Skill
        metadata: {name: review}
        spec: {path: skills/review}
        ---
        kind: Role
        metadata: {name: tester}
        spec: {prompt: You test.}
        ---
        kind: Recipe
        metadata: {name: slow}
        spec: {roleRef: tester, provider: echo, skillRefs: [review]}
        ---
        kind: Instance
        metadata: {name: alice}
        spec: {recipeRef: slow}
    """)
    fake_world.when_applied()

    fake_world.given_file("skills/review/SKILL.md", "---\nname: review\ndescription: Thrice.\n---\nLook thrice.\n")
    report = fake_world.when_applied()

    assert report.told == ["update Skill/review SpecChanged", "relaunch Instance/alice LaunchDigestChanged"]
    assert report.actions["Instance/alice"].reasons[0].paths == ("Skill/review.spec.path#content",)
    assert report.settled
    assert "Look thrice." in (fake_world.home_of("alice") / "skills/review/SKILL.md").read_text()
    assert fake_world.when_planned().in_sync
