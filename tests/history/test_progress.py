"""What `houmao watch status` tells of the runs: read from the catalog, also while nothing watches."""

from reconciler.app.service.progress import progress
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Fault, Kind
from tests.history.test_bringing_back import fleet
from tests.stories.fleets import PROMPT


def test_the_last_run_and_what_fails(fake_world: FakeWorld) -> None:
    assert set(progress(fake_world.flags).values()) == {None}
    fleet(fake_world)
    found = progress(fake_world.flags)
    assert (found["failing"], found["last_error"], found["revision"]) == (0, None, 1)
    assert str(found["last_run"]).startswith("r-")

    fake_world.given_file(PROMPT, "Other.\n")
    fake_world.when_applied(fault=Fault("update/Specialist:write-content", "before", Kind.ERROR))
    after = progress(fake_world.flags)
    assert after["last_run"] != found["last_run"]
    assert (after["last_outcome"], after["failing"]) == ("failed", 1)
    assert str(after["last_error"]).startswith("Specialist/coder: ")
    assert after["next_attempt"]
