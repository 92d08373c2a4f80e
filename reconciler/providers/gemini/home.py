"""Gemini's home, the parent of `.gemini/`, which `GEMINI_CLI_HOME` names.

.gemini/settings.json       the setup's, with our keys over it; the program migrates it while it runs
.gemini/GEMINI.md           role text: the setup's own, then the composed prompt
.gemini/oauth_creds.json    a login file, linked
.gemini/skills/<name>/      linked or copied by the build
"""

from collections.abc import Mapping

from reconciler.build import merge, native
from reconciler.build.home import credentials
from reconciler.model.json import Json, JsonMap
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import HomeFiles, HomeOrder, Materials, ModelConfig
from reconciler.ports.provider import PromptMode

SETTINGS = ".gemini/settings.json"
ROLE = ".gemini/GEMINI.md"
POSTURE: Mapping[str, Json] = {
    "security": {"folderTrust": {"enabled": False}, "disableYoloMode": False, "toolSandboxing": False},
    "admin": {"secureModeEnabled": False},
    "tools": {"sandbox": False},
    # A repetitive answer would otherwise open a dialog and halt the turn.
    "model": {"disableLoopDetection": True},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "ui": {"hideTips": True, "hideBanner": True},
}


def files(order: HomeOrder) -> HomeFiles:
    """The provider's own files."""
    settings = native.setup_json(order.materials, SETTINGS)
    if order.model.name is not None:
        settings = merge.merged(settings, {"model": {"name": order.model.name}})
    if order.model.effort is not None:
        settings = merge.merged(settings, _thinking(settings, order.model.effort, order.model.record.get("model_name")))
    if order.mode is PromptMode.UNATTENDED:
        settings = merge.without(settings, ("tools", "core"), ("tools", "exclude"))
        settings = merge.merged(settings, POSTURE)
        chosen = auth_type(credentials(order.materials.auth, order.materials.adapter))
        if chosen is not None:
            settings = merge.merged(settings, {"security": {"auth": {"selectedType": chosen}}})
    tree: dict[str, Entry] = {}
    role = native.role_entry(order.materials, ROLE, order.prompt)
    if role is not None:
        tree[ROLE] = role
    rewritten = Tree({SETTINGS: native.json_entry(settings)}) if settings else Tree()
    return HomeFiles(Tree(tree), rewritten, Tree())


def baseline_model(materials: Materials) -> ModelConfig:
    """The model the setup chooses."""
    model = merge.at(native.setup_json(materials, SETTINGS), "model", "name")
    return ModelConfig(model if isinstance(model, str) else None)


def auth_type(there: frozenset[str]) -> str | None:
    """The sign-in that the credentials stand for, in the program's words."""
    if "GOOGLE_GENAI_USE_VERTEXAI" in there:
        return "vertex-ai"
    if "GEMINI_API_KEY" in there:
        return "gemini-api-key"
    if "GOOGLE_GENAI_USE_GCA" in there or "oauth_creds.json" in there:
        return "oauth-personal"
    if "GOOGLE_API_KEY" in there:
        return "gemini-api-key"
    return None


def unready(materials: Materials) -> str | None:
    """Gemini needs a key or a login; the setup may have chosen a sign-in of its own."""
    if auth_type(credentials(materials.auth, materials.adapter)) is not None:
        return None
    if merge.at(native.setup_json(materials, SETTINGS), "security", "auth", "selectedType") is not None:
        return None
    return "there is neither a login file nor an API key"


def _thinking(settings: JsonMap, value: str, model: Json) -> JsonMap:
    """The thinking settings as the program's first override; those of the setup stay behind it.

    An override without `match` breaks every request, so where no model is named it matches the main conversation.
    """
    config: JsonMap = {"thinkingBudget": int(value)} if value.isdigit() else {"thinkingLevel": value}
    match: JsonMap = {"model": model} if model else {"overrideScope": "core"}
    mine: JsonMap = {"match": match, "modelConfig": {"generateContentConfig": {"thinkingConfig": config}}}
    theirs = merge.at(settings, "modelConfigs", "customOverrides")
    return {"modelConfigs": {"customOverrides": [mine, *(theirs if isinstance(theirs, list) else [])]}}
