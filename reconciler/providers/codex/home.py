"""Codex's home, the folder `CODEX_HOME` names.

    config.toml       the setup's, with our keys over it; the program saves its own notices into it while it runs
    AGENTS.md         role text: the setup's own, then the composed prompt
    auth.json         a login file, linked
    skills/<name>/    linked or copied by the build

The role is no `developer_instructions`: a conversation keeps those it began with, whatever is configured when it is
gone on with. `AGENTS.md` is compared at every start, and the model is told that the new text replaces the old.

An API key alone leaves Codex at its sign-in screen. So where there is one, and the setup names no model provider, one
is configured that takes the key from the environment.

For a model name that Codex knows and has a newer one for, it asks which to use, and only the pair of both names under
`[notice.model_migrations]` spares the question; which pair is its own affair, so such a pair belongs into a setup.
"""

from collections.abc import Mapping

from reconciler.build import merge, native, toml_text
from reconciler.build.fault import refuse
from reconciler.build.home import credentials, selected_env
from reconciler.model.json import Json, JsonMap
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import HomeFiles, HomeOrder, Materials, ModelConfig
from reconciler.ports.provider import PromptMode

CONFIG = "config.toml"
ROLE = "AGENTS.md"
ROLE_OVERRIDE = "AGENTS.override.md"
"""Where it is there and not blank, the program reads it in place of the other."""
PROVIDER = "houmao"
ENDPOINT = "https://api.openai.com/v1"
POSTURE: Mapping[str, Json] = {
    "approval_policy": "never",
    "sandbox_mode": "danger-full-access",
    "check_for_update_on_startup": False,
    # Without this the program starts a server that outlives its terminal and its home.
    "features": {"daemon_auto_start": False, "plugins": False},
    "analytics": {"enabled": False},
    "notice": {"hide_full_access_warning": True},
    "tui": {"show_tooltips": False},
}


def files(order: HomeOrder) -> HomeFiles:
    """The provider's own files."""
    config = native.setup_toml(order.materials, CONFIG)
    if order.model.name is not None:
        config["model"] = order.model.name
    if order.model.effort is not None:
        config["model_reasoning_effort"] = order.model.effort
    secret = False
    if order.mode is PromptMode.UNATTENDED:
        config, secret = _unattended(config, order)
    written = Tree({CONFIG: _entry(config)}) if config else Tree()
    return HomeFiles(_role(order), Tree() if secret else written, written if secret else Tree())


def _role(order: HomeOrder) -> Tree:
    """The file the role is read from."""
    overridden = (native.setup_text(order.materials, ROLE_OVERRIDE) or "").strip()
    path = ROLE_OVERRIDE if overridden else ROLE
    entry = native.role_entry(order.materials, path, order.prompt)
    return Tree({path: entry}) if entry is not None else Tree()


def baseline_model(materials: Materials) -> ModelConfig:
    """The model the setup chooses."""
    model = native.setup_toml(materials, CONFIG).get("model")
    return ModelConfig(model if isinstance(model, str) else None)


def unready(materials: Materials) -> str | None:
    """Codex needs a login file, an API key, or a model provider of the setup that brings its own key."""
    there = credentials(materials.auth, materials.adapter)
    if "auth.json" in there or "OPENAI_API_KEY" in there:
        return None
    config = native.setup_toml(materials, CONFIG)
    chosen = config.get("model_provider")
    if isinstance(chosen, str) and isinstance(merge.at(config, "model_providers", chosen), dict):
        return None
    return "there is neither a login file nor an API key, and the setup names no model provider"


def _unattended(config: JsonMap, order: HomeOrder) -> tuple[JsonMap, bool]:
    """Posture, trust and endpoint; the second value says whether bytes of a credential are in it."""
    directories = dict.fromkeys((order.host.workdir, *order.host.trusted))
    projects: JsonMap = {directory: {"trust_level": "trusted"} for directory in directories}
    owned = merge.merged(POSTURE, {"projects": projects})
    config = merge.merged(config, owned)
    there = credentials(order.materials.auth, order.materials.adapter)
    if "model_provider" in config or "OPENAI_API_KEY" not in there or "auth.json" in there:
        return config, False
    endpoint = _endpoint(order.materials)
    provider: JsonMap = {
        "name": "OpenAI",
        "base_url": endpoint or ENDPOINT,
        "env_key": "OPENAI_API_KEY",
        "wire_api": "responses",
    }
    if "OPENAI_ORG_ID" in there:
        provider["env_http_headers"] = {"OpenAI-Organization": "OPENAI_ORG_ID"}
    return merge.merged(config, {"model_provider": PROVIDER, "model_providers": {PROVIDER: provider}}), bool(endpoint)


def _endpoint(materials: Materials) -> str:
    """The endpoint that comes with the key; with a password inside it would end in a configuration file."""
    found = selected_env(materials.auth, materials.adapter).get("OPENAI_BASE_URL")
    url = found.reveal() if found else ""
    if "@" in url:
        raise refuse("auth_url", "OPENAI_BASE_URL holds a user or password", "leave them out: the key is a header")
    return url


def _entry(config: JsonMap) -> Entry:
    return Entry(data=toml_text.dumps(config).encode())
