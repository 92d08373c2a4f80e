"""Echo's home, the folder `ECHO_HOME` names.

config.json         version, model, reasoning, trusted folders, who is asked
ROLE.md             role text: the setup's own, then the composed prompt
behaviour.json      the script, where the setup has one
skills/<name>/      linked or copied by the build
"""

from reconciler.build import merge, native
from reconciler.model.json import Json, JsonMap
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import HomeFiles, HomeOrder, Materials, ModelConfig
from reconciler.ports.provider import PromptMode

CONFIG = "config.json"
ROLE = "ROLE.md"


def files(order: HomeOrder) -> HomeFiles:
    """The provider's own files; the program changes none of them."""
    config = merge.merged({"approval": "ask"}, native.setup_json(order.materials, CONFIG))
    config["version"] = 1
    if order.model.name is not None:
        config["model"] = order.model.name
    if order.model.effort is not None:
        config["reasoning"] = order.model.effort
    if order.mode is PromptMode.UNATTENDED:
        trusted: list[Json] = [*dict.fromkeys((order.host.workdir, *order.host.trusted))]
        posture: JsonMap = {"approval": "never", "trusted_workdirs": trusted}
        config = merge.merged(config, posture)
    tree: dict[str, Entry] = {CONFIG: native.json_entry(config)}
    role = native.role_entry(order.materials, ROLE, order.prompt)
    if role is not None:
        tree[ROLE] = role
    return HomeFiles(Tree(tree), Tree(), Tree())


def baseline_model(materials: Materials) -> ModelConfig:
    """The model the setup chooses."""
    model = native.setup_json(materials, CONFIG).get("model")
    return ModelConfig(model if isinstance(model, str) else None)
