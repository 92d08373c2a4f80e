"""Claude Code's home, the folder `CLAUDE_CONFIG_DIR` names.

settings.json     the setup's, with our keys over it: permission mode and, where chosen, the effort level
.claude.json      the program's state; it rewrites it while it runs, and it names the tail of an API key
CLAUDE.md         role text: the setup's own, then the composed prompt
skills/<name>/    linked or copied by the build
"""

from reconciler.build import merge, native
from reconciler.build.fault import refuse
from reconciler.build.home import selected_env
from reconciler.model.json import Json, JsonMap
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import HomeFiles, HomeOrder, Materials, ModelConfig
from reconciler.ports.provider import PromptMode

STATE = ".claude.json"
SETTINGS = "settings.json"
ROLE = "CLAUDE.md"
KEY_TAIL = 20
"""The program remembers an approved API key by its last characters."""


def files(order: HomeOrder) -> HomeFiles:
    """The provider's own files."""
    unattended = order.mode is PromptMode.UNATTENDED
    tree: dict[str, Entry] = {}
    settings = _settings(order, unattended)
    if settings:
        tree[SETTINGS] = native.json_entry(settings)
    role = native.role_entry(order.materials, ROLE, order.prompt)
    if role is not None:
        tree[ROLE] = role
    if not unattended:
        return HomeFiles(Tree(tree), Tree(), Tree())
    state, secret = _state(order)
    written = Tree({STATE: native.json_entry(state)})
    return HomeFiles(Tree(tree), Tree() if secret else written, written if secret else Tree())


def baseline_model(materials: Materials) -> ModelConfig:
    """The model the setup chooses. One in the credential is left to the program: it is not ours to show."""
    model = native.setup_json(materials, SETTINGS).get("model")
    return ModelConfig(model if isinstance(model, str) else None)


def _settings(order: HomeOrder, unattended: bool) -> JsonMap:
    settings = native.setup_json(order.materials, SETTINGS)
    if order.model.effort is not None:
        settings["effortLevel"] = order.model.effort
    if unattended:
        settings.setdefault("theme", "dark")
        owned: JsonMap = {
            "permissions": {"defaultMode": "bypassPermissions"},
            "skipDangerousModePermissionPrompt": True,
        }
        settings = merge.merged(settings, owned)
    return settings


def _state(order: HomeOrder) -> tuple[JsonMap, bool]:
    """The state file, and whether it holds bytes out of a credential."""
    login = native.auth_json(order.materials.auth, STATE, "claude_state.template.json")
    state = merge.merged(native.setup_json(order.materials, STATE), login or {})
    projects: JsonMap = {
        directory: {
            "hasTrustDialogAccepted": True,
            "hasCompletedProjectOnboarding": True,
            "projectOnboardingSeenCount": 0,
        }
        for directory in dict.fromkeys((order.host.workdir, *order.host.trusted))
    }
    owned: JsonMap = {
        "hasCompletedOnboarding": True,
        "hasSeenAutoDefaultNudge": True,
        "numStartups": 1,
        "projects": projects,
    }
    tail = _key_tail(order.materials)
    if tail:
        approved: list[Json] = [tail]
        owned["customApiKeyResponses"] = {"approved": approved, "rejected": []}
    return merge.merged(state, owned), bool(tail) or login is not None


def _key_tail(materials: Materials) -> str:
    """What the program stores of an API key it may use without asking; never the whole key."""
    key = selected_env(materials.auth, materials.adapter).get("ANTHROPIC_API_KEY")
    text = key.reveal() if key else ""
    if text and len(text) <= KEY_TAIL:
        raise refuse(
            "auth_key_short",
            f"ANTHROPIC_API_KEY has no more than {KEY_TAIL} characters: approving it would store the whole key",
            "use a longer key, or set promptMode: as_is",
        )
    return text[-KEY_TAIL:]
