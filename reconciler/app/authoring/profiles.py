"""Launch profiles: those over specialists (`project easy profile`) and over recipes (`project agents launch-profiles`).

One catalog of names: a command of the other lane fails and names the family that is meant.
"""

from collections.abc import Sequence

from reconciler.app.authoring.answers import EASY, EXPLICIT, Answers
from reconciler.app.authoring.change import Talk
from reconciler.app.authoring.edits import Given, edited
from reconciler.app.authoring.family import Changed, make, patch, recorded_of, take_away
from reconciler.app.authoring.flags import PROFILE, Flag, of_verb
from reconciler.app.authoring.recorded import Recorded
from reconciler.app.authoring.tools import check_mode, headless_of
from reconciler.app.session import Flags
from reconciler.model.errors import UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple

KIND = "LaunchProfile"


class Lane(NamedTuple):
    """One of the two families of commands about launch profiles."""

    word: str
    """The flag that names what a profile is over, and the key of it in answers."""
    kind: str
    lane: str
    commands: str
    listed: str


LANES = {
    "easy": Lane("specialist", "Specialist", EASY, "project easy profile", "profiles"),
    "explicit": Lane("recipe", "Recipe", EXPLICIT, "project agents launch-profiles", "launch_profiles"),
}


def flags_of(lane: Lane, verb: str) -> tuple[Flag, ...]:
    """The flags of one command of a lane: each knows its own source only."""
    other = {"specialist": "--recipe", "recipe": "--specialist"}[lane.word]
    return tuple(flag for flag in of_verb(PROFILE, verb) if flag.name != other)


def create(flags: Flags, lane: Lane, name: str, given: Given, talk: Talk) -> Changed:
    """Declare a profile whole."""
    recorded = recorded_of(flags)
    ref = Ref(KIND, name)
    if not given.get(lane.word):
        raise UsageFault(f"a profile needs --{lane.word}", hint=f"houmao {lane.commands} --help")
    if ref in recorded.rows:
        refuse_lane(recorded, lane, name)
    family = flags_of(lane, "create")
    _check_mode(recorded, lane, edited({}, family, given, recorded.session.settings.cwd))
    report = make(flags, ref, family, given, talk)
    return _changed(flags, lane, name, report, talk)


def change(flags: Flags, lane: Lane, name: str, given: Given, talk: Talk) -> Changed:
    """Patch a profile."""
    recorded = recorded_of(flags)
    ref = Ref(KIND, name)
    recorded.row(ref)
    refuse_lane(recorded, lane, name)
    family = flags_of(lane, "set")
    _check_mode(recorded, lane, edited(recorded.written(ref), family, given, recorded.session.settings.cwd))
    report = patch(flags, ref, family, given, talk)
    return _changed(flags, lane, name, report, talk)


def _changed(flags: Flags, lane: Lane, name: str, report: "Report", talk: Talk) -> Changed:
    if talk.dry or report.exit_code:
        return Changed(report, {})
    return Changed(report, get(flags, lane, name))


def get(flags: Flags, lane: Lane, name: str) -> JsonMap:
    """One profile."""
    recorded = recorded_of(flags)
    recorded.row(Ref(KIND, name))
    refuse_lane(recorded, lane, name)
    return Answers(recorded).profile(name)


def listed(flags: Flags, lane: Lane) -> JsonMap:
    """Those of one lane."""
    answers = Answers(recorded_of(flags))
    refs: Sequence[Ref] = answers.recorded.of(KIND)
    found: list[Json] = [answers.profile(ref.name) for ref in refs if answers.lane(ref.name) == lane.lane]
    return {"project_root": answers.project, lane.listed: found}


def remove(flags: Flags, lane: Lane, name: str, talk: Talk, *, cascade: bool) -> Changed:
    """Remove a profile; agents that were born from it keep it, unless `cascade`."""
    recorded = recorded_of(flags)
    recorded.row(Ref(KIND, name))
    refuse_lane(recorded, lane, name)
    answers = Answers(recorded)
    found = answers.profile(name)
    report = take_away(flags, Ref(KIND, name), talk, cascade=cascade)
    body: JsonMap = {
        "name": name,
        "removed": not talk.dry,
        "path": found["path"],
        "metadata_path": found["metadata_path"],
        "project_root": answers.project,
    }
    return Changed(report, body)


def refuse_lane(recorded: Recorded, lane: Lane, name: str) -> None:
    """A profile of the other lane has commands of its own."""
    found = Answers(recorded).lane(name)
    if found != lane.lane:
        other = next(one for one in LANES.values() if one.lane == found)
        raise UsageFault(
            f"{name!r} is a profile over a {other.word}",
            hint=f"the commands for it are `houmao {other.commands} …`",
            code="usage.lane",
        )


def _check_mode(recorded: Recorded, lane: Lane, spec: JsonMap) -> None:
    source = Ref(lane.kind, str(spec.get(f"{lane.word}Ref")))
    if source in recorded.rows:
        tool = str(recorded.spec(source)["provider"])
        check_mode(recorded.session.reader.providers, tool, headless_of(spec))


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.outcome import Report
