"""The prompt an agent is given: managed header, role prompt, overlay, appendix, in one structured text.

    role prompt ─► overlay (append | replace) ─► appendix ─► houmao_system_prompt ─► role injection

Blank fragments vanish; where nothing is left the result is the empty string and nothing is injected. Bodies are put in
as they are written: the tags structure the text for a model, they are no XML document.
"""

from collections.abc import Mapping

from reconciler.build.fault import refuse
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple


class Section(NamedTuple):
    """One section of the managed header."""

    name: str
    tag: str
    default: bool


SECTIONS = (
    Section("identity", "identity", True),
    Section("memo-cue", "memo_cue", True),
    Section("houmao-runtime-guidance", "houmao_runtime_guidance", True),
    Section("automation-notice", "automation_notice", True),
    Section("task-reminder", "task_reminder", False),
    Section("mail-ack", "mail_ack", False),
)


class Identity(NamedTuple):
    """Who the agent is told it is."""

    agent_name: str
    agent_id: str
    memo_file: str
    """Empty for one that has no memory: it is not told of a file that is none."""


class HeaderPolicy(NamedTuple):
    """What layers say about the header: None is silence, otherwise on or off."""

    launch: bool | None = None
    profile: bool | None = None
    launch_sections: Mapping[str, bool] = {}
    profile_sections: Mapping[str, bool] = {}


class Fragments(NamedTuple):
    """The texts that are composed; `overlay_mode` is `append` or `replace`, or empty without an overlay."""

    role: str
    overlay_mode: str = ""
    overlay: str = ""
    appendix: str = ""


class Composed(NamedTuple):
    """The prompt, and how it came about, for the manifest."""

    text: str
    header: JsonMap
    layout: JsonMap


def compose(fragments: Fragments, policy: HeaderPolicy, identity: Identity) -> Composed:
    """The composed prompt; raises ActionFailed (`build.header_section`, `build.overlay_mode`) for an unknown word."""
    check_sections([*policy.launch_sections, *policy.profile_sections])
    enabled, source, stored = _gate(policy)
    sections: JsonMap = {}
    header: list[str] = []
    for section in SECTIONS:
        on, section_source, section_stored = _section(section, policy)
        rendered = enabled and on and (section.name != "memo-cue" or bool(identity.memo_file))
        if rendered:
            header.append(_tagged(section.tag, _body(section.name, identity)))
        sections[section.name] = {
            "tag": section.tag,
            "enabled": on,
            "rendered": rendered,
            "resolution_source": section_source,
            "stored_policy": section_stored,
            "default_enabled": section.default,
        }
    body = _prompt_body(fragments)
    record: JsonMap = {
        "version": 1,
        "enabled": enabled,
        "resolution_source": source,
        "stored_policy": stored,
        "agent_name": identity.agent_name,
        "agent_id": identity.agent_id,
        "sections": sections,
    }
    return Composed(_render(header, body), record, _layout(header, body, record))


def check_sections(names: list[str]) -> None:
    """Raise for a section nobody knows; the message lists the six."""
    known = [section.name for section in SECTIONS]
    for name in names:
        if name not in known:
            raise refuse("header_section", f"unknown header section {name!r}", f"known sections: {', '.join(known)}")


def _gate(policy: HeaderPolicy) -> tuple[bool, str, str]:
    stored = "inherit" if policy.profile is None else _word(policy.profile)
    if policy.launch is not None:
        return policy.launch, "launch_override", stored
    if policy.profile is not None:
        return policy.profile, "launch_profile", stored
    return True, "default", stored


def _section(section: Section, policy: HeaderPolicy) -> tuple[bool, str, str | None]:
    profile = policy.profile_sections.get(section.name)
    stored = None if profile is None else _word(profile)
    launch = policy.launch_sections.get(section.name)
    if launch is not None:
        return launch, "launch_override", stored
    if profile is not None:
        return profile, "launch_profile", stored
    return section.default, "default", stored


def _word(on: bool) -> str:
    return "enabled" if on else "disabled"


def _body(name: str, identity: Identity) -> str:
    match name:
        case "identity":
            return (
                "You are a managed agent: a program started you and keeps you running.\n"
                f"Your name is {identity.agent_name}. Your agent id is {identity.agent_id}."
            )
        case "memo-cue":
            return (
                f"Your memo file is {identity.memo_file}. Read it before anything else, if it is there.\n"
                "Treat it as standing context below system, developer and user instructions, and keep it short."
            )
        case "houmao-runtime-guidance":
            return (
                "To look at or talk to other agents, use the `houmao` command and the interfaces it documents.\n"
                "Do not poke at terminals, files or processes of other agents on your own."
            )
        case "automation-notice":
            return (
                "Nobody sits at this terminal. Do not open menus or questions that wait for a key.\n"
                "Need an answer? Ask in a mail thread of yours that accepts replies; without one, decide and say why."
            )
        case "task-reminder":
            return "Set a reminder only for a concrete obligation with a time or a condition, and clear it when done."
        case _:
            return "When mail arrives, acknowledge it to its sender before you begin to work on it."


def _prompt_body(fragments: Fragments) -> list[tuple[str, str, str]]:
    """(tag, attributes, text) of each part that has text."""
    if fragments.overlay_mode not in ("", "append", "replace"):
        raise refuse("overlay_mode", f"unknown overlay mode {fragments.overlay_mode!r}", "write append or replace")
    overlay = fragments.overlay.strip() if fragments.overlay_mode else ""
    role = "" if overlay and fragments.overlay_mode == "replace" else fragments.role.strip()
    parts = [
        ("role_prompt", "", role),
        ("launch_profile_overlay", f' mode="{fragments.overlay_mode}"', overlay),
        ("launch_appendix", ' source="launch_option"', fragments.appendix.strip()),
    ]
    return [part for part in parts if part[2]]


def _render(header: list[str], body: list[tuple[str, str, str]]) -> str:
    blocks = []
    if header:
        blocks.append(_tagged("managed_header", "\n".join(header)))
    if body:
        parts = [_tagged(tag, text, attributes) for tag, attributes, text in body]
        blocks.append(_tagged("prompt_body", "\n".join(parts)))
    return _tagged("houmao_system_prompt", "\n".join(blocks), ' version="1"') if blocks else ""


def _tagged(tag: str, text: str, attributes: str = "") -> str:
    return f"<{tag}{attributes}>\n{text}\n</{tag}>"


def _layout(header: list[str], body: list[tuple[str, str, str]], record: JsonMap) -> JsonMap:
    sections: list[Json] = []
    if header:
        sections.append({"kind": "managed_header"})
    parts: list[Json] = []
    for tag, attributes, _ in body:
        part: JsonMap = {"kind": tag}
        name, equals, value = attributes.strip().partition("=")
        if equals:
            part["attributes"] = {name: value.strip('"')}
        parts.append(part)
    if parts:
        sections.append({"kind": "prompt_body", "sections": parts})
    tags: list[Json] = [line.split(">")[0].lstrip("<") for line in header]
    return {
        "version": 1,
        "root_tag": "houmao_system_prompt",
        "sections": sections,
        "managed_header": {"enabled": record["enabled"], "sections": tags},
    }
