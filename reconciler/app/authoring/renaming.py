"""The `rename` of each family: checked as its other commands are, and answered with both names."""

from reconciler.app.authoring import credentials
from reconciler.app.authoring.answers import Answers
from reconciler.app.authoring.change import Talk
from reconciler.app.authoring.family import Changed, recorded_of
from reconciler.app.authoring.profiles import LANES, refuse_lane
from reconciler.app.authoring.rename import rename as rename_
from reconciler.app.authoring.tools import check_tool
from reconciler.app.session import Flags
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref


def rename(flags: Flags, kind: str, name: str, to: str, talk: Talk, *, lane: str = "", tool: str = "") -> Changed:
    """Another name for the same thing; `lane` is that of a profile, `tool` that of a credential."""
    recorded = recorded_of(flags)
    ref = Ref(kind, name)
    recorded.row(ref)
    if lane:
        refuse_lane(recorded, LANES[lane], name)
    if tool:
        tool = check_tool(recorded.session.reader.providers, tool)
        credentials.refuse_other_tool(recorded, name, tool)
    report = rename_(flags, ref, to, talk)
    if talk.dry or report.exit_code:
        return Changed(report, {})
    answers = Answers(recorded_of(flags))
    uid = answers.recorded.row(Ref(kind, to)).uid
    body: JsonMap = {"name": to, "previous_name": name, "uid": uid, "project_root": answers.project}
    if tool:
        body |= {"tool": tool, "bundle_ref": uid, "path": answers.bundle_path(to, tool), "target_kind": "project"}
    return Changed(report, body)
