"""`project easy specialist`: one document that derives role and recipe, and the credential it is made with."""

from collections.abc import Callable
from contextlib import ExitStack

from reconciler.app.authoring import credentials, vault
from reconciler.app.authoring.answers import Answers
from reconciler.app.authoring.change import Talk, declare
from reconciler.app.authoring.edits import Given, absolute, edited
from reconciler.app.authoring.family import Changed, patch, recorded_of, refuse_existing, take_away
from reconciler.app.authoring.flags import SPECIALIST, of_verb
from reconciler.app.authoring.recorded import Recorded
from reconciler.app.authoring.tools import check_tool
from reconciler.app.session import Flags
from reconciler.declare.dump import document
from reconciler.model.errors import UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref

KIND = "Specialist"


def create(
    flags: Flags, name: str, given: Given, talk: Talk, *, stdin: Callable[[], str], check: bool = False
) -> Changed:
    """Declare a specialist whole: skills registered and credential kept with it, in one plan.

    Raises Existing for a name that is taken, CredentialMissing where its tool needs a credential and none was given.
    """
    recorded = recorded_of(flags)
    ref = Ref(KIND, name)
    refuse_existing(recorded, ref, replace=talk.run.yes)
    spec = edited({}, of_verb(SPECIALIST, "create"), given, recorded.session.settings.cwd)
    spec.setdefault("promptMode", "unattended")
    tool = check_tool(recorded.session.reader.providers, str(spec.get("provider", "")))
    spec["provider"] = tool
    if given.get("claude_model") and tool != "claude":
        raise UsageFault(f"--claude-model is for claude, not for {tool}", hint="write --model")
    skills = skill_documents(recorded, spec, given)
    source = vault.Source(stdin, recorded.session.reader, recorded.session.settings.cwd, talk.warn)
    inputs = vault.gathered(tool, _credential_words(given), source, easy=True)
    chosen = credentials.choose(recorded, tool, f"{name}-creds", _word(spec.get("authRef")), inputs)
    spec.pop("authRef", None)
    if chosen.name is not None:
        spec["authRef"] = chosen.name
    credentials.check_ready(recorded, tool, spec, chosen, talk, strict=check)
    with ExitStack() as stack:
        documents = [*skills]
        staged = {}
        if chosen.bundle is not None and chosen.name is not None:
            staging = vault.staging(
                recorded.session.reader, Ref("AuthProfile", chosen.name), tool, chosen.bundle, dry=talk.dry
            )
            staged = stack.enter_context(staging)
            documents.append(credentials.document_of(recorded, chosen.name, tool, chosen.bundle))
        report = declare(flags, [*documents, recorded.document(ref, spec)], talk, staged=staged)
    return Changed(report, {} if talk.dry or report.exit_code else created(flags, name, chosen))


def created(flags: Flags, name: str, chosen: credentials.Chosen) -> JsonMap:
    """The keys of §5.1."""
    answers = Answers(recorded_of(flags))
    found = answers.specialist(name)
    body: JsonMap = {"project_root": answers.project, "specialist": name}
    body |= {key: found[key] for key in ("tool", "setup", "provider", "credential", "launch", "metadata_path")}
    generated = found["generated"]
    assert isinstance(generated, dict)
    body["generated"] = generated
    launch = found["launch"]
    if isinstance(launch, dict) and "system_skills" in launch:
        body["system_skills"] = launch["system_skills"]
    body["auth_result"] = credentials.result(answers, chosen)
    return body


def change(flags: Flags, name: str, given: Given, talk: Talk) -> Changed:
    """Patch a specialist; a new setup renames the recipe it derives, which keeps its uid."""
    ref = Ref(KIND, name)
    report = patch(
        flags,
        ref,
        of_verb(SPECIALIST, "set"),
        given,
        talk,
        more=lambda recorded, spec: skill_documents(recorded, spec, given),
    )
    if talk.dry or report.exit_code:
        return Changed(report, {})
    return Changed(report, {**get(flags, name), "updated": True})


def get(flags: Flags, name: str) -> JsonMap:
    """One specialist."""
    return Answers(recorded_of(flags)).specialist(name)


def listed(flags: Flags) -> JsonMap:
    """All of them."""
    answers = Answers(recorded_of(flags))
    found: list[Json] = [answers.specialist(ref.name) for ref in answers.recorded.of(KIND)]
    return {"project_root": answers.project, "specialists": found}


def remove(flags: Flags, name: str, talk: Talk, *, cascade: bool) -> Changed:
    """Remove it with the role and recipe it derives; credential and skills are kept."""
    recorded = recorded_of(flags)
    ref = Ref(KIND, name)
    recorded.row(ref)
    answers = Answers(recorded)
    found = answers.specialist(name)
    generated = found["generated"]
    assert isinstance(generated, dict)
    report = take_away(flags, ref, talk, cascade=cascade)
    body: JsonMap = {
        "project_root": answers.project,
        "specialist": name,
        "removed": not talk.dry,
        "metadata_path": answers.catalog,
        "role_path": generated["role_prompt"],
        "preserved_auth_path": generated["auth"],
        "preserved_skill_paths": generated["skills"],
    }
    return Changed(report, body)


def skill_documents(recorded: Recorded, spec: JsonMap, given: Given) -> list[JsonMap]:
    """`--with-skill DIR`: the skill is registered by the name of its directory, and the spec names it."""
    values = given.get("with_skill")
    found: list[JsonMap] = []
    for text in values if isinstance(values, tuple) else ():
        where = absolute(text, recorded.session.settings.cwd)
        name = where.rpartition("/")[2]
        ref = Ref("Skill", name)
        recorded.refuse_foreign(ref, "replaced")
        found.append(document("Skill", name, {"path": where}))
        before = spec.get("skillRefs")
        held = [item for item in before if isinstance(item, str)] if isinstance(before, list) else []
        spec["skillRefs"] = [*held, *([] if name in held else [name])]
    return found


def _credential_words(given: Given) -> Given:
    """Without what is no credential but has a flag of the same name: the model is the specialist's."""
    return {key: value for key, value in given.items() if key not in ("model", "setup")}


def _word(value: Json) -> str | None:
    return value if isinstance(value, str) else None
