"""All of one agent, ready to be written and started: home, secrets, manifest, plan, the command and its environment.

This is what the instance kind's steps and `brains build` call; the rest of this package is its parts.
"""

from collections.abc import Mapping

from reconciler.build import helper, launch, manifest, model_selection, shell
from reconciler.build.home import Home, credentials, home_tree, selected_env
from reconciler.model.errors import MissingCredential
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Uid
from reconciler.model.secret import Secret
from reconciler.model.tree import Entry, Tree
from reconciler.model.tuples import NamedTuple
from reconciler.ports.build import (
    BuildRequest,
    BuildResult,
    Host,
    LaunchPlan,
    LaunchPlanRequest,
    Materials,
    RolePackage,
)
from reconciler.ports.provider import PromptMode, Provider, Resume, backend_of

OWNER = "owner.json"
"""The file in a home that says whose it is (R-OWN-4)."""

HOME, TMP = "home", "tmp"
OWN_DIRECTORIES = (HOME, TMP)
"""Directories of a new home that the program finds empty. Made with the home: a mkdir of `launch.sh` is a process."""


class Site(NamedTuple):
    """Where one agent's files lie, all absolute, and who it is."""

    uid: Uid
    agent_id: str
    home_id: str
    home_path: str
    manifest_path: str
    runtime_root: str
    memory_path: str
    """Its memory directory; empty where it has none."""
    overlay_id: str = ""
    built_at_utc: str = ""

    @property
    def memo_file(self) -> str:
        return f"{self.memory_path}/houmao-memo.md" if self.memory_path else ""

    @property
    def pages_dir(self) -> str:
        return f"{self.memory_path}/pages"


class Assembled(NamedTuple):
    """Everything one start needs. Write `tree`, `rewritten` and `secrets` into the home, the manifest's text beside it,
    then run `argv` in a session with `env`. Observers compare `tree` alone."""

    tree: Tree
    rewritten: Tree
    secrets: Tree
    keep: frozenset[str]
    """Paths of `secrets` to leave alone where they exist and the auth version did not change."""
    manifest: JsonMap
    manifest_text: str
    plan: LaunchPlan
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    """The environment of the tmux session, sorted; it holds no secret (R-SEC-6)."""

    def everything(self) -> Tree:
        """All entries of a new home in one tree."""
        return self.tree.merged(self.rewritten).merged(self.secrets)


def assemble(
    request: BuildRequest,
    materials: Materials,
    provider: Provider,
    *,
    site: Site,
    host: Host,
    headless: bool = False,
    resume: Resume | None = None,
    transient_env: Mapping[str, str] | None = None,
    sensitive_env: Mapping[str, Secret] | None = None,
    owner: Mapping[str, Json] | None = None,
    viewer: tuple[str, ...] = (),
) -> Assembled:
    """Build one agent as values; same arguments, same answer.

    transient_env   one-off variables of this start; in the launch file, never in the manifest or the persisted plan
    sensitive_env   durable variables whose values are secret: they go by the launch file
    owner           more facts for the home's owner file and the manifest (generation, launch digest)
    viewer          the words that show the turns of a headless agent in its pane

    Raises ActionFailed (`build.*`) and MissingCredential; never retried.
    """
    backend = backend_of(provider.name, headless)
    launch.check_backend(backend, provider)
    selection = model_selection.select(
        provider.baseline_model(materials),
        request.preset_model_config,
        request.launch_profile_model_config,
        request.direct_model_config,
    )
    model = provider.model_projection(selection)
    prompt = request.role_prompt_override
    prompt = materials.role_prompt.strip() if prompt is None else prompt
    home = home_tree(request, materials, provider, host=host, prompt=prompt, model=model)
    if request.mode is PromptMode.UNATTENDED:
        check_ready(provider, materials)
    written = manifest.Written(site.home_id, site.home_path, site.runtime_root, site.built_at_utc)
    brain = manifest.brain_manifest(
        request, materials, provider, written=written, host=host, selection=selection, model=model
    )
    session = session_env(request, provider, site)
    if headless and resume is not None and resume.id:
        session["HOUMAO_RESUME_ID"] = resume.id
    transient = dict(transient_env or {})
    plan = launch.launch_plan(
        LaunchPlanRequest(brain, RolePackage(materials.role_name, prompt), backend, host.workdir, request.mailbox),
        provider,
        host=host,
        resume=resume,
        pointers={name: value for name, value in session.items() if name.startswith("HOUMAO_")} | transient,
    )
    plan = plan._replace(transient_env_var_names=tuple(sorted(transient)))
    marks: JsonMap = {"uid": site.uid, "overlay_id": site.overlay_id, "agent_id": site.agent_id, **(owner or {})}
    start = start_of(plan, provider, site, host, headless)._replace(viewer=viewer)
    tree = home.tree.merged(
        Tree({
            helper.HELPER: Entry(data=helper.launch_sh(start).encode(), mode=0o700),
            OWNER: Entry(data=_owner_text(site).encode()),
        })
    )  # fmt: skip
    # One-off variables may be anything, and what tmux is told stands in its argv: they go by the launch file too.
    once = {name: Secret(value) for name, value in transient.items()}
    secret_env = {**selected_env(materials.auth, materials.adapter), **(sensitive_env or {}), **once}
    secrets = home.secrets.merged(Tree({helper.SECRETS: Entry(data=helper.launch_env(secret_env).encode())}))
    complete = Home(tree, home.rewritten, secrets, home.keep)
    final = manifest.with_tree(brain, complete, marks)
    return Assembled(
        tree=tree,
        rewritten=home.rewritten,
        secrets=secrets,
        keep=home.keep,
        manifest=final,
        manifest_text=manifest.to_text(final),
        plan=plan,
        # tmux hands a single word to the user's shell; two words it starts itself, which is one program less.
        argv=("/bin/sh", f"{site.home_path}/{helper.HELPER}"),
        env=tuple(sorted(session.items())),
    )


def session_env(request: BuildRequest, provider: Provider, site: Site) -> dict[str, str]:
    """The variables every window of the agent's session sees; none of them is secret."""
    env = {**pointers(provider, site, request.agent_def_dir), provider.adapter.home_env_var: site.home_path}
    return {**env, **request.persistent_env_records}


POINTERS = (
    "HOUMAO_MANIFEST_PATH",
    "HOUMAO_AGENT_ID",
    "HOUMAO_AGENT_DEF_DIR",
    "HOUMAO_TOOL",
    "HOUMAO_AGENT_MEMORY_DIR",
    "HOUMAO_AGENT_MEMO_FILE",
    "HOUMAO_AGENT_PAGES_DIR",
)
"""What `pointers` names, but for the uid."""


def pointers(provider: Provider, site: Site, agent_def_dir: str) -> dict[str, str]:
    """The variables that lead an agent to its own files."""
    env = {
        "HOUMAO_MANIFEST_PATH": site.manifest_path,
        "HOUMAO_AGENT_ID": site.agent_id,
        "HOUMAO_UID": site.uid,
        "HOUMAO_AGENT_DEF_DIR": agent_def_dir,
        "HOUMAO_TOOL": provider.name,
    }
    if site.memory_path:
        env |= {
            "HOUMAO_AGENT_MEMORY_DIR": site.memory_path,
            "HOUMAO_AGENT_MEMO_FILE": site.memo_file,
            "HOUMAO_AGENT_PAGES_DIR": site.pages_dir,
        }
    return env


def check_ready(provider: Provider, materials: Materials) -> None:
    """Raise MissingCredential (`build.auth_unready`) where the program could only stop at its login screen."""
    why = provider.unready(materials)
    if why:
        raise MissingCredential(
            f"{provider.name} could not start unattended: {why}",
            hint="add a credential, or set promptMode: as_is and log in by hand",
            code="build.auth_unready",
        )


def result(assembled: Assembled, site: Site) -> BuildResult:
    """What a build answers to whoever asked for it."""
    path = assembled.argv[-1]
    return BuildResult(site.home_id, site.home_path, site.manifest_path, path, shell.word(path), assembled.manifest)


def credential_names(materials: Materials) -> frozenset[str]:
    """Credential variables and login files that are there and not empty."""
    return credentials(materials.auth, materials.adapter)


def start_of(plan: LaunchPlan, provider: Provider, site: Site, host: Host, headless: bool) -> helper.Start:
    """What the launch helper is written from: the plan, and folders and search path of the agent's own."""
    own = {"HOME": f"{site.home_path}/{HOME}", "TMPDIR": f"{site.home_path}/{TMP}"}
    env = {name: path for name, path in own.items() if name not in plan.env}
    directories = tuple(env.values())
    if host.search_path and "PATH" not in plan.env:
        env["PATH"] = host.search_path
    transient = frozenset(plan.transient_env_var_names)
    env |= {name: value for name, value in sorted(plan.env.items()) if name not in transient}
    unset = tuple(sorted({*provider.credential_names, "NO_COLOR"} - env.keys()))
    return helper.Start(site.home_path, host.executable, plan.line, headless, env, unset, directories)


def _owner_text(site: Site) -> str:
    """Identity alone: a new generation or token must not make a home differ."""
    from reconciler.model.json import canonical

    return canonical({"overlay_id": site.overlay_id, "uid": site.uid}) + "\n"
