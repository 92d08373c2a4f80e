"""Missing binaries and credentials hold a start back, with the reason; they stop nothing that runs."""

from reconciler.testing.fake_world import FakeWorld
from tests.stories.fleets import ALICE, PROMPT, TEXT, instance

KEYED = """
kind: AuthProfile
metadata: {name: work}
spec: {provider: echo, source: {env: {ECHO_API_KEY: {file: key.txt}}}}
---
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md, authRef: work}
"""


def test_a_missing_binary_blocks_the_start_and_names_it(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(
        ALICE
        + "---\nkind: Specialist\nmetadata: {name: writer}\nspec: {provider: codex, prompt: Hello.}\n"
        + instance("carol", "specialistRef: writer")
    )

    report = fake_world.when_applied()

    assert report.actions["Instance/carol"].verb.value == "blocked"
    assert report.actions["Instance/carol"].reasons[0].code.value == "BinaryMissing"
    assert "codex" in report.actions["Instance/carol"].reasons[0].text
    assert report.exit_code == 1
    assert fake_world.running == {"alice"}


def test_a_missing_credential_blocks_the_start_and_names_it(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(KEYED + instance("alice"))

    report = fake_world.when_applied()

    assert report.actions["Instance/alice"].verb.value == "blocked"
    assert report.actions["Instance/alice"].reasons[0].code.value == "CredentialMissing"
    assert "key.txt" in report.actions["Instance/alice"].reasons[0].text
    assert fake_world.running == set()

    (fake_world.root / "key.txt").write_text("not-a-real-key\n")
    assert fake_world.when_applied().settled
    assert fake_world.running == {"alice"}


def test_a_credential_that_goes_away_stops_nothing_that_runs(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    (fake_world.root / "key.txt").write_text("not-a-real-key\n")
    fake_world.given(KEYED + instance("alice"))
    fake_world.when_applied()

    (fake_world.root / "key.txt").unlink()

    assert fake_world.when_planned().in_sync
    assert fake_world.running == {"alice"}


def test_a_rotated_credential_relaunches_its_users_and_nobody_else(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    (fake_world.root / "key.txt").write_text("first-not-a-real-key\n")
    fake_world.given(
        KEYED
        + instance("alice")
        + "---\nkind: Specialist\nmetadata: {name: plain}\nspec: {provider: echo, prompt: Hi.}\n"
        + instance("bob", "specialistRef: plain")
    )
    fake_world.when_applied()
    bob = fake_world.session_of("bob")

    (fake_world.root / "key.txt").write_text("other-not-a-real-key\n")
    report = fake_world.when_applied()

    assert report.told == ["update AuthProfile/work AuthRotated", "relaunch Instance/alice LaunchDigestChanged"]
    assert report.actions["Instance/alice"].reasons[0].paths == ("AuthProfile/work.spec.source#content",)
    assert report.settled
    assert fake_world.session_of("bob") == bob
    assert "other-not-a-real-key" in (fake_world.home_of("alice") / "launch.env").read_text()
    assert fake_world.when_planned().in_sync


def test_a_touched_credential_of_the_same_content_plans_nothing(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    (fake_world.root / "key.txt").write_text("not-a-real-key\n")
    fake_world.given(KEYED + instance("alice"))
    fake_world.when_applied()

    (fake_world.root / "key.txt").unlink()
    (fake_world.root / "key.txt").write_text("not-a-real-key\n")

    assert fake_world.when_planned().in_sync
