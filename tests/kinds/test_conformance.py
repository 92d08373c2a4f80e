"""Every built-in kind passes the published suite."""

import pytest

from reconciler.engine.discover import built_in
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.kind_conformance import KindConformance
from tests.crash.scenarios import everything


class Everything(KindConformance):
    def arrange(self, world: FakeWorld) -> None:
        everything(world)


class TestAuthProfile(Everything):
    kind = "AuthProfile"


class TestInstance(Everything):
    kind = "Instance"


class TestInstanceSet(Everything):
    kind = "InstanceSet"


class TestLaunchProfile(Everything):
    kind = "LaunchProfile"


class TestProject(Everything):
    kind = "Project"


class TestRecipe(Everything):
    kind = "Recipe"


class TestRole(Everything):
    kind = "Role"


class TestSetup(Everything):
    kind = "Setup"


class TestSkill(Everything):
    kind = "Skill"


class TestSpecialist(Everything):
    kind = "Specialist"


def test_none_is_forgotten(request: pytest.FixtureRequest) -> None:
    tested = {each.kind for each in Everything.__subclasses__()}
    assert tested == set(built_in())
