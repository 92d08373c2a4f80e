"""Suites that every extension must pass: subclass one, say what is under test, and let pytest collect it.

class TestEcho(ProviderConformance):
    def provider(self) -> Provider:
        return echo.provider
"""

from collections.abc import Iterator
from itertools import product

import pytest

from reconciler.build import adapter as adapter_file
from reconciler.build.assemble import Assembled, Site, assemble
from reconciler.model.errors import ActionFailed
from reconciler.model.ref import Uid, name_fault
from reconciler.model.secret import Secret
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import (
    ArgsOverride,
    AuthMaterial,
    BuildRequest,
    Host,
    LaunchOverrides,
    Materials,
    ModelConfig,
)
from reconciler.ports.provider import LOCAL_INTERACTIVE, PromptMode, Provider, Resume, ResumeMode
from reconciler.ports.reading import ScreenState, Tri
from reconciler.ports.tmux import Screen

CANARY = "canary-7c1e2a9b4d6f8a0c3e5b7d9f"
ROLE = "role-canary: you write code"
RESUMES = (Resume(), Resume(ResumeMode.NEW), Resume(ResumeMode.EXACT, "conversation-1"))
HOSTILE = "'\"$HOME `id` $(id) \\ #{x}\n#(touch x) é"


class ProviderConformance:
    """What the rest of the program relies on, whatever the product."""

    def provider(self) -> Provider:
        """The provider under test."""
        raise AssertionError("a subclass says which provider is under test")

    # ---- a build to look at

    def auth(self) -> AuthMaterial:
        """Every credential variable the provider knows, each with the canary inside."""
        names = sorted(self.provider().credential_names)
        return AuthMaterial("creds", "0" * 32, {name: Secret(f"{CANARY}-{name.lower()}") for name in names})

    def build(
        self,
        *,
        mode: PromptMode = PromptMode.UNATTENDED,
        headless: bool = False,
        resume: Resume | None = None,
        prompt: str = ROLE,
        workdir: str = "/work/project",
        auth: AuthMaterial | None = None,
        overrides: LaunchOverrides | None = None,
        model: ModelConfig | None = None,
        version: str | None = None,
    ) -> Assembled:
        """One agent of the provider."""
        provider = self.provider()
        request = BuildRequest(
            agent_def_dir="/agents",
            tool=provider.name,
            skills=("lint",),
            setup="default",
            auth="creds",
            agent_name="alice",
            agent_id="agent-1",
            launch_overrides=overrides,
            direct_model_config=model,
            operator_prompt_mode=mode,
            persistent_env_records={"GREETING": HOSTILE},
        )
        skill = Tree({"SKILL.md": Entry(data=b"lint"), "scripts/run.sh": Entry(data=b"true", mode=0o700)})
        materials = Materials(
            "coder", prompt, provider.setups["default"], {"lint": skill}, auth or self.auth(), provider.adapter
        )
        site = Site(Uid("0" * 32), "agent-1", "home-1", "/rt/homes/home-1", "/rt/m/home-1.yaml", "/rt", "/mem")
        program = provider.executable(f"/opt/bin/{provider.lookup}" if provider.lookup else "")
        host = Host(program, workdir, tool_version=version)
        return assemble(request, materials, provider, site=site, host=host, headless=headless, resume=resume)

    def builds(self) -> Iterator[Assembled]:
        """One agent of every combination the provider has."""
        provider = self.provider()
        faces = [headless for headless, has in ((False, provider.interactive), (True, provider.headless)) if has]
        for mode, headless, resume in product(PromptMode, faces, RESUMES):
            yield self.build(mode=mode, headless=headless, resume=resume)

    # ---- what it says of itself

    def test_its_names_are_words(self) -> None:
        provider = self.provider()
        assert name_fault(provider.name) is None
        assert provider.name not in provider.aliases
        assert provider.layout_version >= 1
        assert provider.interactive or provider.headless
        assert "default" in provider.setups

    def test_its_adapter_is_about_itself_and_survives_a_file(self) -> None:
        adapter = self.provider().adapter
        assert adapter.tool == self.provider().name
        assert adapter_file.parse(adapter_file.to_json(adapter), "adapter.yaml") == adapter
        assert set(adapter.env_allowlist) <= self.provider().credential_names
        assert not any(name.startswith("HOUMAO_") for name in self.provider().credential_names)

    def test_it_starts_an_absolute_path(self) -> None:
        provider = self.provider()
        words = provider.executable("/opt/bin/program" if provider.lookup else "")
        assert words[0].startswith("/")

    # ---- homes

    def test_equal_input_gives_equal_homes(self) -> None:
        for one, other in zip(self.builds(), self.builds(), strict=True):
            assert one.tree.digest() == other.tree.digest()
            assert one.manifest_text == other.manifest_text
            assert one.everything() == other.everything()

    def test_paths_stay_inside_and_modes_are_private(self) -> None:
        for build in self.builds():
            for path, entry in build.everything():
                assert not path.startswith("/")
                assert ".." not in path.split("/")
                assert entry.link is not None or entry.mode & 0o077 == 0, path
            assert all(entry.mode == 0o600 for _, entry in build.secrets)

    def test_no_file_is_in_two_parts(self) -> None:
        for build in self.builds():
            parts = [tree.entries.keys() for tree in (build.tree, build.rewritten, build.secrets)]
            assert sum(map(len, parts)) == len(set().union(*parts))

    def test_a_secret_is_only_where_secrets_belong(self) -> None:
        for build in self.builds():
            for part in (build.tree, build.rewritten):
                assert all(CANARY.encode() not in (entry.data or b"") for _, entry in part)
            said = [
                build.manifest_text,
                repr(build.plan),
                repr(build.plan.to_json()),
                repr(build.env),
                repr(build.argv),
            ]
            assert all(CANARY not in text for text in said)
            assert CANARY.encode() in (build.secrets.entries["launch.env"].data or b"")

    def test_another_secret_is_no_other_home(self) -> None:
        names = sorted(self.provider().credential_names)
        other = AuthMaterial("creds", "0" * 32, {name: Secret(f"changed-{CANARY}-{name}") for name in names})
        assert self.build().tree.digest() == self.build(auth=other).tree.digest()
        assert self.build().secrets != self.build(auth=other).secrets

    def test_the_role_reaches_the_home_and_not_the_command_line(self) -> None:
        for build in self.builds():
            files = [path for path, entry in build.everything() if ROLE.encode() in (entry.data or b"")]
            assert files
            assert all(ROLE not in word for word in build.plan.args)
            assert b"role-canary" not in (build.tree.entries["launch.sh"].data or b"")
        without = self.build(prompt="")
        assert all(b"role-canary" not in (entry.data or b"") for _, entry in without.everything())

    def test_skills_are_copied_where_they_cannot_be_linked(self) -> None:
        place = self.provider().adapter.skills_destination
        entries = self.build().tree.entries
        assert entries[f"{place}/lint/SKILL.md"].data == b"lint"
        assert entries[f"{place}/lint/scripts/run.sh"].mode == 0o700

    def test_the_session_knows_whose_it_is(self) -> None:
        for build in self.builds():
            env = dict(build.env)
            assert env["HOUMAO_UID"] == "0" * 32
            assert env["HOUMAO_TOOL"] == self.provider().name
            assert env[self.provider().adapter.home_env_var] == "/rt/homes/home-1"
            assert env["GREETING"] == HOSTILE
            assert build.argv == ("/bin/sh", "/rt/homes/home-1/launch.sh")

    # ---- launch lines

    def test_as_is_claims_nothing(self) -> None:
        build = self.build(mode=PromptMode.AS_IS)
        assert build.plan.launch_policy_provenance is None

    def test_resuming_is_said_only_when_asked_for(self) -> None:
        provider = self.provider()
        if not provider.can_resume:
            assert self.build(resume=RESUMES[0]).plan.line.resumed is None
            return
        new, exact = self.build(resume=RESUMES[1]).plan.line, self.build(resume=RESUMES[2]).plan.line
        assert new.resumed is None
        assert "conversation-1" in exact.args
        last = self.build(resume=RESUMES[0]).plan.line
        assert last.resumed is not None
        assert last.resumed != last.args
        assert last.conversation
        assert not last.conversation.startswith("/")

    def test_arguments_of_the_recipe_are_kept(self) -> None:
        overrides = LaunchOverrides(ArgsOverride("append", ("--some-flag", HOSTILE)))
        args = self.build(overrides=overrides).plan.args
        assert args[args.index("--some-flag") + 1] == HOSTILE

    def test_words_of_the_protocol_may_not_be_overridden(self) -> None:
        provider = self.provider()
        if not provider.headless:
            return
        for word in sorted(provider.reserved_args):
            with pytest.raises(ActionFailed) as caught:
                self.build(headless=True, overrides=LaunchOverrides(ArgsOverride("append", (f"{word}=1",))))
            assert caught.value.code == "build.reserved_arg"

    def test_an_unknown_parameter_is_refused(self) -> None:
        with pytest.raises(ActionFailed) as caught:
            self.build(overrides=LaunchOverrides(None, {"no_such": True}))
        assert caught.value.code == "build.tool_param"

    def test_a_chosen_model_shows_and_reasoning_saturates(self) -> None:
        low = self.build(model=ModelConfig("model-canary", 1))
        high, higher = (self.build(model=ModelConfig("model-canary", level)) for level in (98, 99))
        assert "model-canary" in low.manifest_text
        assert low.everything() != high.everything()
        assert high.everything() == higher.everything()

    def test_a_version_too_old_is_refused(self) -> None:
        if not self.provider().strategies:
            return
        with pytest.raises(ActionFailed) as caught:
            self.build(version="program 0.0.1")
        assert caught.value.code == "build.strategy"
        assert self.build(version="program 999.0.0").plan.launch_policy_provenance is not None

    def test_a_face_it_does_not_have_is_refused(self) -> None:
        provider = self.provider()
        for headless, has in ((False, provider.interactive), (True, provider.headless)):
            if not has:
                with pytest.raises(ActionFailed) as caught:
                    self.build(headless=headless)
                assert caught.value.code == "build.backend"
        assert not provider.interactive or self.build().plan.backend == LOCAL_INTERACTIVE

    # ---- screens

    def test_a_screen_nobody_knows_is_unknown(self) -> None:
        reading = self.provider().reading(Screen("$ ls\nREADME.md\n$ ", "host"))
        assert reading.state is ScreenState.UNKNOWN
        assert set(reading.surface) == {Tri.UNKNOWN}
        assert reading.anomalies

    def test_an_empty_screen_is_the_start(self) -> None:
        assert self.provider().reading(Screen("\n\n\n", "")).state is ScreenState.STARTING
        assert list(self.provider().said(Screen("\n\n\n", ""))) == []

    def test_a_paste_settles_in_a_bounded_time(self) -> None:
        assert 0 <= self.provider().submit_pause_s <= 2
        assert 0 <= self.provider().resume_settles_s <= 10

    def test_it_can_be_asked_to_leave(self) -> None:
        assert self.provider().stop_keys
        assert all(batch and all(batch) for batch in self.provider().stop_keys)

    def test_what_its_login_leaves_is_what_its_credentials_take(self) -> None:
        way = self.provider().login
        assert way is None or way.file in {mapping.source for mapping in self.provider().adapter.file_mappings}
