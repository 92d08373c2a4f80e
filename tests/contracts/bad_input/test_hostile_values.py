"""`#(touch X)` is a command to tmux, and `$(touch X)` one to a shell. Wherever text may stand, neither is ever run.

The fields come from the published schemas: each either refuses the text or stands in the fleet below, which is applied
and relaunched. A new field that takes text is missing here until somebody puts it in.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.bad_input import shapes
from tests.contracts.bad_input.machine import Machine, machine, unchanged

TMUX = "#(touch PWNED)"
SHELL = "$(touch PWNED)`touch PWNED`'\"; touch PWNED; #{l:x} #[fg=red] \\"
TEXTS = {"tmux": TMUX, "shell": SHELL}

LEFT_OUT = {
    "Project.spec.tmuxSocket": "names the server: tried on its own below",
    "Project.metadata.annotations.houmao/source-id": "never leaves the catalog; another one would be another source",
    "AuthProfile.spec.source.existing": "names a credential that has to exist",
    "Moved.metadata.annotations.<value>": "stands in every document below, and is kept nowhere",
    "Setup.metadata.annotations.<value>": "stands in every document below",
    "LaunchProfile.spec.systemSkills.sets.[]": "only known names may be used; tried on its own below",
    "LaunchProfile.spec.systemSkills.skills.[]": "only known names may be used; tried on its own below",
    "Recipe.spec.launch.systemSkills.sets.[]": "only known names may be used; tried on its own below",
    "Recipe.spec.launch.systemSkills.skills.[]": "only known names may be used; tried on its own below",
    "Specialist.spec.systemSkills.sets.[]": "only known names may be used; tried on its own below",
    "Specialist.spec.systemSkills.skills.[]": "only known names may be used; tried on its own below",
    "Recipe.spec.launch.overrides.toolParams.<key>": "only known names may be used; tried on its own below",
    "Recipe.spec.launch.overrides.toolParams.<value>": "only known names may be used; tried on its own below",
}


def fleet(text: str) -> list[dict[str, Any]]:
    """One fleet with the text in every field that takes it; directories and files of that name exist."""

    def one(kind: str, name: str, **spec: Any) -> dict[str, Any]:
        metadata = {"name": name, "annotations": {"note": text}}
        return {"apiVersion": "houmao/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}

    agent = {
        "workdir": text,
        "model": text,
        "drift": {"ignore": [text]},
        "lifecycle": {"ignoreChanges": [text]},
        "hooks": {"preStop": [{"command": ["true", text]}], "postReady": [{"command": ["true", text]}]},
    }
    told = [{"command": ["true", text]}]
    return [
        one(
            "Project",
            "hostile",
            defaults={"drift": {"ignore": [text]}},
            hooks={"preApply": told, "postApply": told, "onFailure": told, "preStop": told, "postReady": told},
        ),
        one(
            "AuthProfile",
            "keys",
            provider="echo",
            rotation=text,
            source={"env": {"ECHO_API_KEY": {"file": text + "/key"}}},
        ),
        one("AuthProfile", "printed", provider="echo", source={"env": {"ECHO_API_KEY": {"exec": ["echo", text]}}}),
        one("AuthProfile", "login", provider="codex", source={"files": {"auth.json": text + "/key"}}),
        one("Setup", "own", provider="echo", path=text + "/setup"),
        one("Skill", "own", path=text + "/skill"),
        one("Role", "told", prompt=f"{text} twice"),
        one("Role", "written", promptFile=text + "/role.md"),
        one(
            "Recipe",
            "low",
            roleRef="written",
            provider="echo",
            setupRef="own",
            skillRefs=["own"],
            authRef="keys",
            launch={"model": text, "env": {"A": text}, "overrides": {"args": {"values": ["--model", text]}}},
            extra={text: text},
        ),
        one("Specialist", "inline", provider="echo", prompt=text, model=text, env={"B": text}, authRef="printed"),
        one("Specialist", "read", provider="echo", promptFile=text + "/prompt.md"),
        one(
            "LaunchProfile",
            "day",
            recipeRef="low",
            workdir=text,
            model=text,
            env={"C": text},
            promptOverlay={"mode": "append", "text": text},
            memoSeed={"text": text},
            skills={"private": [{"name": "mine", "path": text + "/skill"}]},
            resume={"mode": "exact", "id": text},
        ),
        one(
            "LaunchProfile",
            "night",
            specialistRef="read",
            promptOverlay={"mode": "replace", "file": text + "/prompt.md"},
            memoSeed={"file": text + "/prompt.md"},
        ),
        one("LaunchProfile", "dawn", specialistRef="inline", memoSeed={"dir": text + "/memo"}),
        one("Instance", "a", profileRef="day", **agent, resume={"mode": "new"}),
        one("Instance", "b", profileRef="night"),
        one("Instance", "c", profileRef="dawn"),
        one("Instance", "d", recipeRef="low", state="Stopped", resume={"mode": "exact", "id": text}),
        one("InstanceSet", "many", replicas=1, template={"specialistRef": "inline", **agent}),
        one(
            "InstanceSet",
            "none",
            replicas=0,
            strategy={"type": "Canary", "analysis": {"exec": ["true", text]}},
            template={"specialistRef": "inline", "resume": {"mode": "exact", "id": text}},
        ),
    ]


def used(document: Any, text: str, at: tuple[str, ...] = ()) -> Iterator[str]:
    """Dotted places of the text in a document, written as the schemas' walk writes them."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from used(value, text, (*at, key))
    elif isinstance(document, list):
        for value in document:
            yield from used(value, text, (*at, shapes.ITEM))
    elif isinstance(document, str) and text in document:
        yield ".".join(at)


def places(text: str) -> set[str]:
    """Every place of the fleet that has the text; free keys are folded as the schemas fold them."""
    found = set()
    for document in fleet(text):
        shape = {".".join(path): path for path, _ in shapes.texts(shapes.kinds()[document["kind"]])}
        for place in used(document, text):
            found |= {f"{document['kind']}.{known}" for known, path in shape.items() if fits(place, path, text)}
    return found


def fits(place: str, path: tuple[str, ...], text: str) -> bool:
    words = place.replace(text, "<text>").split(".")
    if len(words) < len(path):
        return False
    pairs = zip(path, _refolded(words, path), strict=True)
    same = all(known == word or known in (shapes.VALUE, shapes.KEY) for known, word in pairs)
    return same and (path[-1] != shapes.KEY or words[-1] == "<text>")


def _refolded(words: list[str], path: tuple[str, ...]) -> list[str]:
    """A key with dots in it, such as a file's name, is one word again."""
    extra = len(words) - len(path)
    for index, known in enumerate(path):
        if known == shapes.VALUE and extra > 0:
            return [*words[:index], ".".join(words[index : index + extra + 1]), *words[index + extra + 1 :]]
    return words if not extra else [*words[: len(path) - 1], ".".join(words[len(path) - 1 :])]


def test_every_field_that_takes_the_text_is_tried() -> None:
    takes = {
        f"{kind}.{'.'.join(path)}"
        for kind, shape in shapes.kinds().items()
        for path, at in shapes.texts(shape)
        if shapes.takes(at, TMUX)
    }
    assert takes - places(TMUX) - set(LEFT_OUT) == set()
    assert set(LEFT_OUT) <= takes


@pytest.fixture(params=sorted(TEXTS))
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Machine, str]]:
    """A machine whose project itself lies in a directory of that name."""
    text = TEXTS[request.param]
    with machine(tmp_path / text) as found:
        folder = found.project / text
        found.write(f"{text}/prompt.md", f"You write {text}\n")
        found.write(f"{text}/role.md", f"You are {text}\n")
        found.write(f"{text}/key", f"made-up-{text}-key")
        found.write(f"{text}/setup/behaviour.json", json.dumps({"greeting": text}))
        found.write(f"{text}/skill/SKILL.md", f"# {text}\n")
        found.write(f"{text}/memo/houmao-memo.md", f"{text}\n")
        assert folder.is_dir()
        yield found, text


def pwned(machine: Machine) -> list[str]:
    """Every file the text would have made, wherever a command of it may have run."""
    roots = {machine.top, machine.tmux, Path("/"), Path.home()}
    near = [root / "PWNED" for root in roots if (root / "PWNED").exists()]
    return sorted(map(str, [*near, *machine.top.parent.rglob("PWNED"), *machine.tmux.rglob("PWNED")]))


@pytest.mark.tmux
def test_tmux_would_run_it_indeed(fresh: Machine) -> None:
    """The control: without the doubled `#` the file appears, where `pwned` looks."""
    fresh.ask_tmux("new-session", "-d", "-s", "victim", "sleep 100")
    fresh.ask_tmux("display-message", "-p", "-t", "victim", TMUX)
    fresh.ask_tmux("new-session", "-d", "-c", str(fresh.project), "-s", f"{TMUX}-a", "sleep 100")
    fresh.ask_tmux("run-shell", "true")
    assert pwned(fresh)


@pytest.mark.tmux
@pytest.mark.slow
def test_no_field_is_ever_run(hostile: tuple[Machine, str]) -> None:
    machine, text = hostile
    documents = fleet(text)
    machine.collect("fleet.yaml", documents)
    machine.run("validate", "-f", "fleet.yaml").succeeds()
    machine.run("plan", "-f", "fleet.yaml").succeeds()
    ran = machine.run("apply", "-f", "fleet.yaml", "--wait", "--timeout=60s").succeeds()
    assert len(machine.sessions()) == 4, ran.text
    machine.run("get", "all", "-o", "wide").succeeds()
    machine.run("describe", "instance/a").succeeds()
    machine.run("logs", "instance/a")
    machine.run("doctor")
    assert "No changes." in machine.run("plan", "-f", "fleet.yaml").succeeds().out
    assert started_in(machine, "HOUMAO-a-") == str(machine.project / text)

    machine.ask_tmux("kill-session", "-t", machine.ask_tmux("list-sessions", "-F", "#{session_id}")[0])
    machine.run("apply", "-f", "fleet.yaml", "--wait", "--timeout=60s").succeeds()
    assert len(machine.sessions()) == 4
    machine.run("delete", "-f", "fleet.yaml", "--cascade", "--yes").succeeds()
    assert pwned(machine) == []


def started_in(machine: Machine, prefix: str) -> str:
    """The directory the agent's own process is in."""
    (pid,) = (
        line.split()[1]
        for line in machine.ask_tmux("list-panes", "-a", "-F", "#{session_name} #{pane_pid}")
        if line.startswith(prefix)
    )
    return os.readlink(f"/proc/{pid}/cwd")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_names_refuse_it(text: str, fresh: Machine) -> None:
    """All of them in one run: names, session names, agent names and ids, labels, variables."""
    bad = [
        {"kind": "Instance", "metadata": {"name": text}, "spec": {"specialistRef": "x"}},
        *(
            {"kind": "Instance", "metadata": {"name": f"i{i}"}, "spec": {"specialistRef": "coder", field: text}}
            for i, field in enumerate(("agentName", "agentId", "sessionName", "authRef"))
        ),
        {"kind": "Role", "metadata": {"name": "l", "labels": {"team": text}}, "spec": {"prompt": ""}},
        {"kind": "Specialist", "metadata": {"name": "coder"}, "spec": {"provider": "echo", "env": {text: "x"}}},
        {"kind": "Specialist", "metadata": {"name": "other"}, "spec": {"provider": text}},
    ]
    fresh.collect("fleet.yaml", bad)
    with unchanged(fresh):
        ran = fresh.run("apply", "-f", "fleet.yaml", "-o", "json")
    assert ran.code == 1
    causes = ran.error["causes"]
    assert isinstance(causes, list)
    assert {each["position"]["line"] for each in causes} == {2 * number for number in range(1, len(bad) + 1)}
    assert pwned(fresh) == []


@pytest.mark.tmux
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("launch", ["systemSkills", "toolParams"])
def test_names_that_only_the_build_knows_refuse_it_too(launch: str, text: str, fresh: Machine) -> None:
    spec = {
        "systemSkills": {"mode": "replace", "skills": [text], "sets": [text]},
        "toolParams": {"toolParams": {text: text}},
    }
    body = {"systemSkills": spec[launch]} if launch == "systemSkills" else {"overrides": spec[launch]}
    documents = [
        {"kind": "Role", "metadata": {"name": "r"}, "spec": {"prompt": ""}},
        {"kind": "Recipe", "metadata": {"name": "low"}, "spec": {"roleRef": "r", "provider": "echo", "launch": body}},
        {"kind": "Instance", "metadata": {"name": "a"}, "spec": {"recipeRef": "low"}},
    ]
    fresh.collect("fleet.yaml", documents)
    ran = fresh.run("apply", "-f", "fleet.yaml")
    assert ran.code == 1
    assert "error[build." in ran.text
    assert fresh.sessions() == []
    assert pwned(fresh) == []


@pytest.mark.tmux
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_socket_and_a_home_of_that_name(text: str, fresh: Machine) -> None:
    name = text.replace("/", "")
    fresh.declare(
        "fleet.yaml",
        f"kind: Project\nmetadata: {{name: p}}\nspec: {{tmuxSocket: {json.dumps(name)}}}\n",
        "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo}\n",
        "kind: Instance\nmetadata: {name: alice}\nspec: {specialistRef: coder}\n",
    )
    try:
        ran = fresh.run("apply", "-f", "fleet.yaml")
        assert ran.code in (0, 1), ran.text
        assert "internal.error" not in ran.text
        assert pwned(fresh) == []
    finally:
        fresh.ask_tmux("-L", name, "kill-server")
