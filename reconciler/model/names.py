"""Every name the outside world sees, in one place: a rebrand is one edit."""

PROGRAM = "houmao"
IMPERATIVE = "imperative"
"""The apply set of what was made by hand (R-IMP-6)."""
OVERLAY_DIR = ".houmao"
CONFIG_FILE = "houmao-config.toml"
CATALOG_FILE = "catalog.sqlite"
LOCK_FILE = "lock"
CONFIG_TEXT = 'schema_version = 1\n\n[paths]\nagent_def_dir = "agents"\n'
CONTENT_DIRS = ("prompts", "auth", "skills", "setups")

ENV_OVERLAY = "HOUMAO_PROJECT_OVERLAY_DIR"
ENV_DISCOVERY = "HOUMAO_PROJECT_OVERLAY_DISCOVERY_MODE"
ENV_AGENT_DEF = "HOUMAO_AGENT_DEF_DIR"
ENV_RUNTIME = "HOUMAO_GLOBAL_RUNTIME_DIR"
ENV_MAILBOX = "HOUMAO_GLOBAL_MAILBOX_DIR"
ENV_REGISTRY = "HOUMAO_GLOBAL_REGISTRY_DIR"
ENV_JOBS = "HOUMAO_LOCAL_JOBS_DIR"
ENV_SOCKET = "HOUMAO_TMUX_SOCKET"
ENV_PRINT_STYLE = "HOUMAO_CLI_PRINT_STYLE"
"""How commands print where the command line does not say: plain, json or fancy."""
ENV_GATE = "HOUMAO_NO_GATE"
"""Any value turns the no-op gate off: plans are then always made in full."""
