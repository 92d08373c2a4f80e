"""The low-level lane: roles, recipes, setups, skills; catalog first, the view follows (§11 row 1)."""

from collections.abc import Callable

from reconciler.app.authoring.answers import Answers
from reconciler.app.authoring.change import Talk, declare
from reconciler.app.authoring.edits import Given, absolute
from reconciler.app.authoring.family import Changed, make, patch, recorded_of, refuse_existing, take_away
from reconciler.app.authoring.flags import RECIPE, ROLE, SKILL, of_verb
from reconciler.app.authoring.tools import check_tool
from reconciler.app.session import Flags
from reconciler.declare.dump import document
from reconciler.kinds import content
from reconciler.model.errors import GuardRefused, UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref


def _answer(flags: Flags, report: Report, talk: Talk, tell: Callable[[Answers], JsonMap]) -> Changed:
    """What a command answers, of what is recorded now; nothing where nothing was done."""
    done = not talk.dry and not report.exit_code
    return Changed(report, tell(Answers(recorded_of(flags))) if done else {})


# --- roles ------------------------------------------------------------------------------------------------------------


def role_init(flags: Flags, name: str, given: Given, talk: Talk) -> Changed:
    """A role with its prompt, or with an empty one."""
    empty: JsonMap = {} if given.get("system_prompt_file") else {"prompt": ""}
    report = make(flags, Ref("Role", name), of_verb(ROLE, "create"), given, talk, start=empty)

    def tell(answers: Answers) -> JsonMap:
        found = answers.role(name)
        return {
            "role": name,
            "role_path": found["role_path"],
            "system_prompt_path": found["system_prompt_path"],
            "created_paths": [found["role_path"], found["system_prompt_path"]],
            "project_root": answers.project,
        }

    return _answer(flags, report, talk, tell)


def role_set(flags: Flags, name: str, given: Given, talk: Talk) -> Changed:
    """Another prompt."""

    def filled(recorded: object, spec: JsonMap) -> list[JsonMap]:
        del recorded
        if "prompt" not in spec and "promptFile" not in spec:
            spec["prompt"] = ""
        return []

    report = patch(flags, Ref("Role", name), of_verb(ROLE, "set"), given, talk, more=filled)
    return _answer(flags, report, talk, lambda answers: answers.role(name))


def role_get(flags: Flags, name: str) -> JsonMap:
    """One role."""
    return Answers(recorded_of(flags)).role(name)


def role_list(flags: Flags) -> JsonMap:
    """All of them."""
    answers = Answers(recorded_of(flags))
    found: list[Json] = [answers.role(ref.name) for ref in answers.recorded.of("Role")]
    return {"project_root": answers.project, "roles": found}


def role_remove(flags: Flags, name: str, talk: Talk, *, cascade: bool) -> Changed:
    """Refused while any recipe names it."""
    answers = Answers(recorded_of(flags))
    body: JsonMap = {"role": name, "removed": not talk.dry, "path": answers.role(name)["role_path"]}
    report = take_away(flags, Ref("Role", name), talk, cascade=cascade)
    return Changed(report, body | {"project_root": answers.project})


# --- recipes ----------------------------------------------------------------------------------------------------------


def recipe_add(flags: Flags, name: str, given: Given, talk: Talk) -> Changed:
    """A recipe over a role that is there."""
    for key in ("role", "tool"):
        if not given.get(key):
            raise UsageFault(f"a recipe needs --{key}", hint="houmao project agents recipes add --help")
    given = _with_tool(flags, given)
    report = make(
        flags,
        Ref("Recipe", name),
        of_verb(RECIPE, "create"),
        given,
        talk,
        start={"launch": {"promptMode": "unattended"}},
    )

    def tell(answers: Answers) -> JsonMap:
        path = answers.recipe_file(name)
        return {"name": name, "path": path, "created": True, "project_root": answers.project}

    return _answer(flags, report, talk, tell)


def recipe_set(flags: Flags, name: str, given: Given, talk: Talk) -> Changed:
    """Patch a recipe."""
    report = patch(flags, Ref("Recipe", name), of_verb(RECIPE, "set"), _with_tool(flags, given), talk)
    return _answer(flags, report, talk, lambda answers: answers.recipe(name))


def _with_tool(flags: Flags, given: Given) -> Given:
    """The tool by its own name."""
    word = given.get("tool")
    if not isinstance(word, tuple):
        return given
    return {**given, "tool": (check_tool(recorded_of(flags).session.reader.providers, word[-1]),)}


def recipe_get(flags: Flags, name: str) -> JsonMap:
    """One recipe."""
    return Answers(recorded_of(flags)).recipe(name)


def recipe_list(flags: Flags, role: str | None, tool: str | None) -> JsonMap:
    """All of them, or those of a role or tool."""
    answers = Answers(recorded_of(flags))
    every = [answers.recipe(ref.name) for ref in answers.recorded.of("Recipe")]
    found: list[Json] = [
        one for one in every if (role is None or one["role"] == role) and (tool is None or one["tool"] == tool)
    ]
    return {"project_root": answers.project, "recipes": found}


def recipe_remove(flags: Flags, name: str, talk: Talk, *, cascade: bool) -> Changed:
    """Refused while anything is over it."""
    answers = Answers(recorded_of(flags))
    answers.recorded.row(Ref("Recipe", name))
    body: JsonMap = {"name": name, "path": answers.recipe_file(name), "removed": not talk.dry}
    report = take_away(flags, Ref("Recipe", name), talk, cascade=cascade)
    return Changed(report, body | {"project_root": answers.project})


# --- tools and setups -------------------------------------------------------------------------------------------------


def tool_get(flags: Flags, word: str) -> JsonMap:
    """What is known of a tool."""
    answers = Answers(recorded_of(flags))
    return answers.tool(check_tool(answers.recorded.session.reader.providers, word))


def setup_list(flags: Flags, word: str) -> JsonMap:
    """Its setups."""
    answers = Answers(recorded_of(flags))
    tool = check_tool(answers.recorded.session.reader.providers, word)
    return {"tool": tool, "setups": [*answers.setups(tool)], "project_root": answers.project}


def setup_get(flags: Flags, word: str, name: str) -> JsonMap:
    """One setup and its files."""
    answers = Answers(recorded_of(flags))
    tool = check_tool(answers.recorded.session.reader.providers, word)
    _refuse_no_setup(answers, tool, name)
    stored = f"{answers.recorded.session.reader.places.content}/{content.setup_tree(tool, name)}"
    found = answers.recorded.session.reader.files.found(stored)
    files = [entry.path for entry in found] if found else [
        *(answers.recorded.session.reader.providers[tool].setups.get(name) or {}).entries  # type: ignore[union-attr]
    ]  # fmt: skip
    return {
        "name": name,
        "path": answers.setup_path(tool, name),
        "files": [*sorted(files)],
        "tool": tool,
        "project_root": answers.project,
    }


def _refuse_no_setup(answers: Answers, tool: str, name: str) -> None:
    known = answers.setups(tool)
    if name not in known:
        from reconciler.app.read import NotFound
        from reconciler.declare.suggest import nearest

        near = nearest(name, known)
        hint = f"did you mean {near}?" if near else f"it has {', '.join(known)}"
        raise NotFound(f"{tool} has no setup {name!r}", hint=hint, ref=f"Setup/{name}")


def setup_add(flags: Flags, word: str, name: str, source: str, talk: Talk) -> Changed:
    """A copy of a setup, or of a directory, under a name of its own."""
    recorded = recorded_of(flags)
    answers = Answers(recorded)
    tool = check_tool(recorded.session.reader.providers, word)
    ref = Ref("Setup", name)
    refuse_existing(recorded, ref, replace=talk.run.yes)
    if name == "default":
        raise UsageFault("`default` is the tool's own setup", hint="choose another name")
    if "/" in source or source.startswith(("~", ".")):
        path = absolute(source, recorded.session.settings.cwd)
    else:
        _refuse_no_setup(answers, tool, source)
        path = f"{recorded.session.reader.places.content}/{content.setup_tree(tool, source)}"
    report = declare(flags, [document("Setup", name, {"provider": tool, "path": path})], talk)

    def tell(found: Answers) -> JsonMap:
        return {
            "name": name,
            "source_name": source,
            "path": found.setup_path(tool, name),
            "created": True,
            "tool": tool,
            "project_root": found.project,
        }

    return _answer(flags, report, talk, tell)


def setup_remove(flags: Flags, word: str, name: str, talk: Talk, *, cascade: bool) -> Changed:
    """Refused while anything names it; the tool's own stays."""
    answers = Answers(recorded_of(flags))
    tool = check_tool(answers.recorded.session.reader.providers, word)
    _refuse_no_setup(answers, tool, name)
    ref = Ref("Setup", name)
    if ref not in answers.recorded.rows or answers.recorded.spec(ref).get("provider") != tool:
        raise GuardRefused(
            f"the setup {name!r} of {tool} ships with it", hint="add one under another name", code="guard.starter"
        )
    body: JsonMap = {"name": name, "path": answers.setup_path(tool, name), "removed": not talk.dry, "tool": tool}
    report = take_away(flags, ref, talk, cascade=cascade)
    return Changed(report, body | {"project_root": answers.project})


# --- skills -----------------------------------------------------------------------------------------------------------


def skill_add(flags: Flags, name: str, given: Given, talk: Talk) -> Changed:
    """Register a directory; its content is copied into the store."""
    if not given.get("source"):
        raise UsageFault("a skill needs --source DIR", hint="houmao project skills add --help")
    report = make(flags, Ref("Skill", name), of_verb(SKILL, "create"), given, talk)
    return _answer(flags, report, talk, lambda answers: answers.skill(name))


def skill_set(flags: Flags, name: str, given: Given, talk: Talk) -> Changed:
    """Another directory, or another way into a home."""
    report = patch(flags, Ref("Skill", name), of_verb(SKILL, "set"), given, talk)
    return _answer(flags, report, talk, lambda answers: answers.skill(name))


def skill_get(flags: Flags, name: str) -> JsonMap:
    """One skill."""
    return Answers(recorded_of(flags)).skill(name)


def skill_list(flags: Flags) -> JsonMap:
    """All of them."""
    answers = Answers(recorded_of(flags))
    found: list[Json] = [answers.skill(ref.name) for ref in answers.recorded.of("Skill")]
    return {"project_root": answers.project, "skills": found}


def skill_remove(flags: Flags, name: str, talk: Talk) -> Changed:
    """Refused while anything refers to it; the refusal lists who."""
    answers = Answers(recorded_of(flags))
    body = answers.skill(name) | {"removed": not talk.dry}
    return Changed(take_away(flags, Ref("Skill", name), talk, cascade=False), body)
