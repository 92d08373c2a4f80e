"""One agent as values: what is digested, what is written, what a manifest says and does not say."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.files_local import LocalFiles
from reconciler.build import definitions, manifest
from reconciler.build.assemble import assemble, result
from reconciler.declare import reader
from reconciler.model.errors import ActionFailed, MissingCredential
from reconciler.model.secret import Secret
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import AuthFile, BuildRequest, Host, Materials, PrivateSkill
from reconciler.providers import discover
from tests.providers import golden

ECHO = discover()["echo"]
CODEX = discover()["codex"]


def materials(**other: Any) -> Materials:
    return golden.materials_of(ECHO, golden.Case())._replace(**other)


def request(**other: Any) -> BuildRequest:
    return BuildRequest("/agents", "echo", ("lint",), "default", "creds", agent_name="alice")._replace(**other)


def build(asked: BuildRequest | None = None, given: Materials | None = None, **other: Any) -> Any:
    host = Host(("/opt/python", "/opt/echo"), "/work")
    return assemble(asked or request(), given or materials(), ECHO, **{"site": golden.SITE, "host": host, **other})


def test_time_and_owner_are_not_in_the_home() -> None:
    one = build()
    other = build(site=golden.SITE._replace(built_at_utc="2030-01-01T00:00:00Z"), owner={"generation": 7})
    assert one.tree.digest() == other.tree.digest()
    assert one.manifest != other.manifest
    assert other.manifest["owner"]["generation"] == 7
    assert one.manifest["source_digest"] == other.manifest["source_digest"]


def test_the_manifest_is_yaml_that_reads_back() -> None:
    built = build()
    documents, problems = reader.read(built.manifest_text, "manifest.yaml")
    assert problems == []
    assert documents[0].value == built.manifest
    assert built.manifest["runtime"]["tree_digest"] == built.tree.digest()
    assert built.manifest["runtime"]["entries"].keys() == built.tree.entries.keys()


def test_a_manifest_of_version_4_is_read_and_no_other() -> None:
    built = build().manifest
    assert manifest.check_readable(built, "m.yaml") == built
    for version in (1, 2, 3, None, "4"):
        with pytest.raises(ActionFailed) as caught:
            manifest.check_readable({**built, "schema_version": version}, "m.yaml")
        assert caught.value.code == "build.manifest_version"
    with pytest.raises(ActionFailed) as caught:
        manifest.check_readable({**built, "schema_version": 3}, "m.yaml")
    assert "rebuild the home" in caught.value.hint


def test_any_changed_byte_is_another_source_digest() -> None:
    skill = Tree({"SKILL.md": Entry(data=b"changed")})
    digests = [
        build().manifest["source_digest"],
        build(given=materials(role_prompt="changed")).manifest["source_digest"],
        build(given=materials(skills={"lint": skill})).manifest["source_digest"],
        build(given=materials(setup=Tree({"behaviour.json": Entry(data=b"{}")}))).manifest["source_digest"],
        build(request(persistent_env_records={"A": "1"})).manifest["source_digest"],
    ]
    assert len(set(digests)) == len(digests)


def test_one_off_variables_go_by_the_launch_file_alone() -> None:
    """What tmux is told stands in its argv, and a one-off variable may be anything."""
    built = build(transient_env={"ONCE": "now"})
    assert b"export ONCE=now" in (built.secrets.entries["launch.env"].data or b"")
    assert "ONCE" not in dict(built.env)
    assert b"ONCE" not in (built.tree.entries["launch.sh"].data or b"")
    assert "ONCE" not in built.manifest_text
    assert "ONCE" not in built.plan.to_json()["env_var_names"]
    assert built.tree.digest() == build().tree.digest()


def test_sensitive_variables_go_by_the_secret_file() -> None:
    built = build(sensitive_env={"TOKEN": Secret("hidden-value")})
    assert b"export TOKEN=hidden-value" in (built.secrets.entries["launch.env"].data or b"")
    assert "hidden-value" not in repr((built.env, built.plan, built.manifest_text))


REFUSED: dict[str, tuple[Any, Any]] = {
    "build.env_reserved": (request(persistent_env_records={"HOUMAO_UID": "x"}), None),
    "build.env_credential": (request(persistent_env_records={"ECHO_API_KEY": "x"}), None),
    "build.env_name": (request(persistent_env_records={"A B": "x"}), None),
    "build.skill_missing": (request(skills=("none",)), None),
    "build.skill_twice": (request(private_skills=(PrivateSkill("lint", "/x"),)), None),
    "build.home_mode": (request(reuse_home=True, existing_home_mode="clean"), None),
    "build.home_id": (request(home_id="../up"), None),
    "build.tool": (request(tool="codex"), None),
    "build.auth_missing": (None, materials(auth=None)),
    "build.json": (None, materials(setup=Tree({"config.json": Entry(data=b"[1]")}))),
    "build.setup_bytes": (None, materials(setup=Tree({"config.json": Entry(source="/x", digest="sha256:0")}))),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_build_that_cannot_be_is_refused(code: str) -> None:
    with pytest.raises(ActionFailed) as caught:
        build(*REFUSED[code])
    assert caught.value.code == code


def test_a_broken_login_file_is_not_repeated_in_the_error() -> None:
    claude = discover()["claude"]
    auth = golden.auth_of(claude, golden.Case())._replace(files={".claude.json": Secret("{secret-token")})
    given = golden.materials_of(claude, golden.Case())._replace(auth=auth)
    asked = request(tool="claude")
    with pytest.raises(ActionFailed) as caught:
        assemble(asked, given, claude, site=golden.SITE, host=Host(("/opt/claude",), "/work"))
    assert "secret-token" not in str(caught.value) + repr(caught.value.__cause__)


def test_a_codex_agent_without_a_way_in_is_refused_unless_somebody_is_there() -> None:
    given = golden.materials_of(CODEX, golden.Case())
    assert given.auth is not None
    given = given._replace(auth=given.auth._replace(env={}))
    asked = request(tool="codex")
    with pytest.raises(MissingCredential) as caught:
        assemble(asked, given, CODEX, site=golden.SITE, host=Host(("/opt/codex",), "/work"))
    assert caught.value.code == "build.auth_unready"
    own = Tree({"config.toml": Entry(data=b'model_provider = "x"\n[model_providers.x]\nbase_url = "http://h"\n')})
    assemble(asked, given._replace(setup=own), CODEX, site=golden.SITE, host=Host(("/opt/codex",), "/work"))


def test_a_required_login_file_must_be_there() -> None:
    mappings = tuple(it._replace(required=True) for it in CODEX.adapter.file_mappings)
    given = golden.materials_of(CODEX, golden.Case())._replace(adapter=CODEX.adapter._replace(file_mappings=mappings))
    with pytest.raises(MissingCredential) as caught:
        assemble(request(tool="codex"), given, CODEX, site=golden.SITE, host=Host(("/opt/codex",), "/work"))
    assert "auth.json" in str(caught.value)


def test_links_and_copies_of_login_files() -> None:
    claude = discover()["claude"]
    login = {".credentials.json": AuthFile("/auth/.credentials.json", "sha256:0")}
    auth = golden.auth_of(claude, golden.Case())._replace(files=login)
    given = golden.materials_of(claude, golden.Case())._replace(auth=auth)
    built = assemble(request(tool="claude"), given, claude, site=golden.SITE, host=Host(("/opt/claude",), "/work"))
    assert built.secrets.entries[".credentials.json"].source == "/auth/.credentials.json"
    assert built.keep == {".credentials.json"}


def test_a_build_is_answered_with_what_was_made() -> None:
    built = build()
    answer = result(built, golden.SITE).to_json()
    assert answer["launch_preview"] == "/overlay/runtime/homes/home-1/launch.sh"
    assert answer["manifest"] == built.manifest
    assert list(answer) == [
        "home_id", "home_path", "manifest_path", "launch_helper_path", "launch_preview", "manifest",
    ]  # fmt: skip


def test_a_built_home_is_written_and_found_again(tmp_path: Path) -> None:
    files = LocalFiles()
    home = tmp_path / "homes" / "home-1"
    built = build(site=golden.SITE._replace(home_path=str(home)), given=materials(skill_paths={}))
    files.write_tree(str(home), built.everything())
    found = {entry.path: entry for entry in files.found(str(home)) or ()}
    digests = manifest.entry_digests(built.tree)
    assert {path: found[path].digest for path in digests} == digests
    assert (home / "launch.sh").stat().st_mode & 0o777 == 0o700
    assert (home / "launch.env").stat().st_mode & 0o777 == 0o600


def test_both_lanes_build_alike(tmp_path: Path) -> None:
    """A recipe read from a definition tree gives the very home that the same values give by hand."""
    (tmp_path / "roles/coder").mkdir(parents=True)
    (tmp_path / "roles/coder/system-prompt.md").write_text(materials().role_prompt)
    (tmp_path / "skills/lint").mkdir(parents=True)
    (tmp_path / "skills/lint/SKILL.md").write_bytes(materials().skills["lint"].entries["SKILL.md"].data or b"")
    (tmp_path / "tools/echo/auth/creds/env").mkdir(parents=True)
    (tmp_path / "tools/echo/auth/creds/env/vars.env").write_text(f"ECHO_API_KEY={golden.KEY}\n")
    given = definitions.materials(
        LocalFiles(), str(tmp_path), ECHO, lambda _: None, role="coder", setup="default", skills=("lint",), auth="creds"
    )  # fmt: skip
    from_tree = build(given=given._replace(skill_paths=materials().skill_paths))
    assert from_tree.tree == build().tree
    assert from_tree.secrets == build().secrets
