"""Whatever a canonical spec says, the catalog gives it back; whatever another program edits, the revision knows."""

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.catalog_sqlite.check import check
from reconciler.adapters.catalog_sqlite.definitions import TABLES
from reconciler.adapters.catalog_sqlite.store import SqliteCatalog
from reconciler.model.json import Json, JsonMap, canonical
from reconciler.model.ref import Ref, Uid
from reconciler.ports.catalog import ContentRef, Definition, Lease

LEASE = Lease(0, "ann", 1, 1, "boot", "apply", "2030-01-01T00:00:00Z")
SKILLS = ("lint", "mail", "review")
SETUPS = ("lax", "strict")
CREDENTIALS = ("home", "work")
PROVIDERS = ("claude", "codex", "echo", "gemini")

texts = st.text(st.characters(codec="utf-8"), max_size=12)
scalars = st.none() | st.booleans() | st.integers() | texts
values: st.SearchStrategy[Json] = st.recursive(
    scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3), max_leaves=6
)
digests = st.text("0123456789abcdef", min_size=64, max_size=64).map(lambda text: f"sha256:{text}")
sizes = st.integers(0, 2**40)
payloads = st.fixed_dictionaries({"digest": digests, "size": sizes})
words = st.sampled_from(("", "a", "append", "copy", "default", "exact", "inherit", "m-1", "symlink", "unattended"))
variables = st.dictionaries(texts, texts, max_size=3)
anything = values | words | variables


def spec_of(
    required: dict[str, st.SearchStrategy[Json]], **optional: st.SearchStrategy[Json]
) -> st.SearchStrategy[JsonMap]:
    """Some fields always, others sometimes, a field nobody knows, and any value where a column expects another."""
    known = {path: value | anything for path, value in optional.items()}
    return st.fixed_dictionaries(required, optional={**known, "later": values})


def some_of(names: tuple[str, ...]) -> st.SearchStrategy[Json]:
    return st.lists(st.sampled_from(names), unique=True).map(list)


def mapping(**fields: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional=fields)


references: dict[str, st.SearchStrategy[Json]] = {
    "setupRef": st.sampled_from((*SETUPS, "default")),
    "authRef": st.sampled_from((None, *CREDENTIALS)),
    "skillRefs": some_of(SKILLS),
}
provider = {"provider": st.sampled_from(PROVIDERS)}
system_skills = mapping(mode=words, sets=some_of(("core",)), skills=some_of(("mail",)))
launch = mapping(
    promptMode=words,
    model=anything,
    reasoning=anything,
    env=anything,
    overrides=mapping(args=anything, toolParams=anything),
    systemSkills=system_skills,
)
SPECS: dict[str, st.SearchStrategy[JsonMap]] = {
    "Role": st.one_of(
        *(
            spec_of({path: payloads}, **{other: st.none()})
            for path, other in (("prompt", "promptFile"), ("promptFile", "prompt"))
        )
    ),
    "Setup": spec_of({**provider, "path": payloads}),
    "Skill": spec_of({"path": payloads}, mode=words),
    "AuthProfile": spec_of({**provider, "source": anything}, rotation=anything),
    "Recipe": spec_of({"roleRef": st.just("base"), **provider, **references}, launch=launch, extra=variables),
    "LaunchProfile": st.one_of(
        *(
            spec_of(
                {path: texts.filter(bool), "authRef": st.none()},
                agentName=texts,
                agentId=texts,
                workdir=texts,
                model=texts,
                reasoning=st.integers(0, 9),
                promptMode=words,
                env=variables,
                systemSkills=system_skills,
                promptOverlay=mapping(mode=words, text=payloads),
                managedHeader=words,
                managedHeaderSections=variables,
                memoSeed=st.sampled_from(("text", "file", "dir")).flatmap(
                    lambda key: st.fixed_dictionaries({key: payloads})
                ),
                posture=mapping(headless=anything),
                resume=mapping(mode=words, id=texts),
                skills=mapping(
                    registered=some_of(SKILLS),
                    private=st.lists(
                        st.fixed_dictionaries({"name": texts, "path": payloads | texts, "mode": words}),
                        max_size=3,
                        unique_by=lambda item: item["name"],
                    ),
                ),
            )
            for path in ("specialistRef", "recipeRef")
        )
    ),
    "Project": st.dictionaries(texts, values, max_size=4),
}


@st.composite
def definitions(draw: st.DrawFn, kind: str) -> Definition:
    """A definition whose payloads are all, partly or not at all known to the content store."""
    spec = draw(SPECS[kind])
    found = {path: value for path, value in walk(spec, "") if draw(st.booleans())}
    sort = {"Skill": "skill_tree", "Setup": "setup_tree"}.get(kind, "prompt_blob")
    contents = {
        path: ContentRef(sort, f"{kind}/{path}", sort != "prompt_blob", str(value["digest"]), int(str(value["size"])))
        for path, value in found.items()
    }
    return Definition(Ref(kind, "one"), spec, contents, Uid(f"{kind:0>32}"))


def walk(value: Json, path: str) -> Iterator[tuple[str, JsonMap]]:
    """Every `{digest, size}` in a spec, by its path."""
    if isinstance(value, dict):
        if set(value) == {"digest", "size"} and isinstance(value["digest"], str):
            yield path, value
            return
        for key, below in value.items():
            yield from walk(below, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for below in value:
            if isinstance(below, dict):
                yield from walk(below, f"{path}[name={below.get('name')}]")


@pytest.fixture(scope="module")
def catalog() -> Iterator[SqliteCatalog]:
    """One catalog for all examples: each replaces what the one before wrote, which is the harder case."""
    with tempfile.TemporaryDirectory() as place:
        opened = SqliteCatalog(str(Path(place) / "catalog.sqlite"))
        token = opened.acquire(LEASE)
        with opened.transaction(token) as tx:
            for name in SKILLS:
                tx.put_definition(Definition(Ref("Skill", name), {}, {}))
            for tool in PROVIDERS:
                for name in SETUPS:
                    tx.put_definition(Definition(Ref("Setup", name), {"provider": tool}, {}))
                for name in CREDENTIALS:
                    tx.put_definition(Definition(Ref("AuthProfile", name), {"provider": tool}, {}))
            tx.put_definition(Definition(Ref("Role", "base"), {}, {}))
        yield opened
        opened.close()


@pytest.mark.parametrize("kind", SPECS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_put_is_what_comes_back(catalog: SqliteCatalog, kind: str, data: st.DataObject) -> None:
    definition = data.draw(definitions(kind))
    with catalog.transaction(1) as tx:
        tx.put_definition(definition)
    found = catalog.definitions(kind)["one"]
    assert found == definition
    revision, changes = catalog.revision(), catalog.total_changes
    with catalog.transaction(1) as tx:
        tx.put_definition(found)
    assert (catalog.revision(), catalog.total_changes) == (revision, changes)


@given(
    spec=spec_of({**provider, **references}, model=texts, reasoning=st.integers(0, 9), env=variables, promptMode=words)
)
@settings(max_examples=40, deadline=None)
def test_a_specialist_and_its_derived_recipe_both_come_back(catalog: SqliteCatalog, spec: JsonMap) -> None:
    launched = {key: spec[key] for key in ("model", "reasoning", "env", "promptMode") if key in spec}
    bound = {key: spec[key] for key in ("provider", "setupRef", "authRef", "skillRefs")}
    recipe = Definition(
        Ref("Recipe", f"two-{spec['provider']}-{spec['setupRef']}"), {"roleRef": "two", **bound, "launch": launched}, {}
    )
    specialist = Definition(Ref("Specialist", "two"), spec, {})
    with catalog.transaction(1) as tx:
        for definition in (Definition(Ref("Role", "two"), {}, {}), recipe, specialist):
            tx.put_definition(definition)
    assert catalog.definitions("Specialist")["two"].facts == spec
    assert catalog.definitions("Recipe")[recipe.ref.name].facts == recipe.facts


@given(kinds=st.lists(st.sampled_from(sorted(SPECS)), min_size=1, max_size=4), data=st.data())
@settings(max_examples=20, deadline=None)
def test_what_is_put_and_dropped_leaves_nothing_behind(kinds: list[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = str(Path(place) / "catalog.sqlite")
        opened = SqliteCatalog(path)
        with opened.transaction(0) as tx:
            tx.put_definition(Definition(Ref("Role", "base"), {}, {}))
        paths: set[str] = set()
        for kind in kinds:
            definition = data.draw(definitions(kind))
            spec = {key: value for key, value in definition.facts.items() if key not in (*references, "skills")}
            with opened.transaction(0) as tx:
                tx.put_definition(definition._replace(facts=spec))
            paths |= {content.relative_path for content in definition.contents.values()}
            paths -= set(tx.freed)
        freed: set[str] = set()
        for kind in sorted(set(kinds)):
            with opened.transaction(0) as tx:
                tx.drop_definition(Ref(kind, "one"))
            freed |= set(tx.freed)
        opened.close()
        assert check(path) == ()
        db = sqlite3.connect(path)
        left = [db.execute(f"SELECT count(*) FROM {mapped.table}").fetchone()[0] for mapped in TABLES.values()]
        assert sum(left) == 1  # the role to begin with
        assert db.execute("SELECT count(*) FROM content_refs").fetchone() == (0,)
        db.close()
        assert freed == paths


def test_equal_facts_are_equal_texts(catalog: SqliteCatalog) -> None:
    spec: JsonMap = {"b": [1, {"c": None}], "a": "ä"}
    with catalog.transaction(1) as tx:
        tx.put_definition(Definition(Ref("Project", "text"), spec, {}))
    assert canonical(catalog.definitions("Project")["text"].facts) == canonical(spec)
