-- Definition tables: what roles, recipes, specialists and launch profiles are. Other programs may read and edit them.

CREATE TABLE catalog_meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE content_refs (
  id INTEGER PRIMARY KEY,
  content_kind TEXT NOT NULL
    CHECK (content_kind IN ('prompt_blob', 'auth_tree', 'skill_tree', 'setup_tree', 'memo_seed')),
  storage_kind TEXT NOT NULL CHECK (storage_kind IN ('file', 'tree')),
  relative_path TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
);

CREATE TABLE roles (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  prompt_content_ref_id INTEGER REFERENCES content_refs (id) ON DELETE RESTRICT,
  spec_payload TEXT NOT NULL DEFAULT '{}',
  uid TEXT UNIQUE
);

CREATE TABLE setup_profiles (
  id INTEGER PRIMARY KEY,
  tool TEXT NOT NULL,
  name TEXT NOT NULL,
  content_ref_id INTEGER REFERENCES content_refs (id) ON DELETE RESTRICT,
  spec_payload TEXT NOT NULL DEFAULT '{}',
  uid TEXT UNIQUE,
  UNIQUE (tool, name)
);

CREATE TABLE auth_profiles (
  id INTEGER PRIMARY KEY,
  tool TEXT NOT NULL,
  display_name TEXT NOT NULL,
  bundle_ref TEXT NOT NULL UNIQUE CHECK (length(bundle_ref) = 32 AND bundle_ref NOT GLOB '*[^0-9a-f]*'),
  content_ref_id INTEGER REFERENCES content_refs (id) ON DELETE RESTRICT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  spec_payload TEXT NOT NULL DEFAULT '{}',
  uid TEXT UNIQUE,
  UNIQUE (tool, display_name)
);

CREATE TABLE skill_packages (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  content_ref_id INTEGER REFERENCES content_refs (id) ON DELETE RESTRICT,
  mode TEXT NOT NULL DEFAULT 'copy' CHECK (mode IN ('copy', 'symlink')),
  source_path TEXT,
  spec_payload TEXT NOT NULL DEFAULT '{}',
  uid TEXT UNIQUE
);

CREATE TABLE mailbox_policies (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  transport TEXT NOT NULL DEFAULT 'none',
  policy_payload TEXT NOT NULL DEFAULT '{}'
);

-- Two recipes may differ in skills or model alone, so (role, tool, setup) is not unique; a credential is optional.
CREATE TABLE presets (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE RESTRICT,
  tool TEXT NOT NULL,
  setup_profile_id INTEGER REFERENCES setup_profiles (id) ON DELETE RESTRICT,
  auth_profile_id INTEGER REFERENCES auth_profiles (id) ON DELETE RESTRICT,
  mailbox_policy_id INTEGER REFERENCES mailbox_policies (id) ON DELETE RESTRICT,
  launch_payload TEXT NOT NULL DEFAULT '{}',
  mailbox_payload TEXT NOT NULL DEFAULT '{}',
  extra_payload TEXT NOT NULL DEFAULT '{}',
  spec_payload TEXT NOT NULL DEFAULT '{}',
  uid TEXT UNIQUE
);
CREATE INDEX presets_role ON presets (role_id);
CREATE INDEX presets_setup ON presets (setup_profile_id);
CREATE INDEX presets_auth ON presets (auth_profile_id);

CREATE TABLE preset_skill_packages (
  preset_id INTEGER NOT NULL REFERENCES presets (id) ON DELETE CASCADE,
  skill_package_id INTEGER NOT NULL REFERENCES skill_packages (id) ON DELETE RESTRICT,
  ordinal INTEGER NOT NULL,
  PRIMARY KEY (preset_id, skill_package_id)
);
CREATE INDEX preset_skill_packages_skill ON preset_skill_packages (skill_package_id);

CREATE TABLE specialists (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  tool TEXT NOT NULL,
  provider TEXT NOT NULL,
  role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE RESTRICT,
  preset_id INTEGER NOT NULL REFERENCES presets (id) ON DELETE RESTRICT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  spec_payload TEXT NOT NULL DEFAULT '{}',
  uid TEXT UNIQUE
);
CREATE INDEX specialists_role ON specialists (role_id);
CREATE INDEX specialists_preset ON specialists (preset_id);

CREATE TABLE launch_profiles (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  profile_lane TEXT NOT NULL,
  source_kind TEXT NOT NULL,
  source_name TEXT NOT NULL,
  managed_agent_name TEXT,
  managed_agent_id TEXT,
  workdir TEXT,
  auth_profile_id INTEGER REFERENCES auth_profiles (id) ON DELETE RESTRICT,
  model_name TEXT,
  reasoning_level INTEGER,
  operator_prompt_mode TEXT,
  env_payload TEXT NOT NULL DEFAULT '{}',
  mailbox_payload TEXT NOT NULL DEFAULT '{}',
  posture_payload TEXT NOT NULL DEFAULT '{}',
  relaunch_chat_session_payload TEXT NOT NULL DEFAULT '{}',
  system_skills_payload TEXT NOT NULL DEFAULT '{}',
  managed_header_policy TEXT,
  managed_header_section_policy TEXT NOT NULL DEFAULT '{}',
  prompt_overlay_mode TEXT,
  prompt_overlay_content_ref_id INTEGER REFERENCES content_refs (id) ON DELETE SET NULL,
  gateway_mail_notifier_appendix_content_ref_id INTEGER REFERENCES content_refs (id) ON DELETE SET NULL,
  memo_seed_source_kind TEXT CHECK (memo_seed_source_kind IN ('memo', 'tree')),
  memo_seed_content_ref_id INTEGER REFERENCES content_refs (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  spec_payload TEXT NOT NULL DEFAULT '{}',
  uid TEXT UNIQUE,
  CHECK ((profile_lane = 'easy_profile' AND source_kind = 'specialist')
      OR (profile_lane = 'launch_profile' AND source_kind = 'recipe'))
);
CREATE INDEX launch_profiles_auth ON launch_profiles (auth_profile_id);

CREATE TABLE launch_profile_registered_skill_packages (
  launch_profile_id INTEGER NOT NULL REFERENCES launch_profiles (id) ON DELETE CASCADE,
  skill_package_id INTEGER NOT NULL REFERENCES skill_packages (id) ON DELETE RESTRICT,
  ordinal INTEGER NOT NULL,
  PRIMARY KEY (launch_profile_id, skill_package_id)
);
CREATE INDEX launch_profile_registered_skill_packages_skill
  ON launch_profile_registered_skill_packages (skill_package_id);

CREATE TABLE launch_profile_private_skill_packages (
  launch_profile_id INTEGER NOT NULL REFERENCES launch_profiles (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  source_path TEXT NOT NULL,
  mode TEXT NOT NULL DEFAULT 'copy' CHECK (mode IN ('copy', 'symlink')),
  ordinal INTEGER NOT NULL,
  PRIMARY KEY (launch_profile_id, source_path),
  UNIQUE (launch_profile_id, name)
);

-- Kinds without a table of their own: Project, InstanceSet, and whatever a later release or a plug-in adds.
CREATE TABLE definition (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  uid TEXT UNIQUE,
  payload TEXT NOT NULL DEFAULT '{}',
  UNIQUE (kind, name)
);

-- Payloads of spec paths that no column above holds. `row_id` is the id in the table of `kind`; triggers follow it.
CREATE TABLE definition_content (
  kind TEXT NOT NULL,
  row_id INTEGER NOT NULL,
  path TEXT NOT NULL,
  content_ref_id INTEGER NOT NULL REFERENCES content_refs (id) ON DELETE RESTRICT,
  PRIMARY KEY (kind, row_id, path)
);
CREATE INDEX definition_content_ref ON definition_content (content_ref_id);

-- Engine tables: intent, ownership and history. Without them a working imperative project remains.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value NOT NULL
);

CREATE TABLE apply_set (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  source_root_id TEXT NOT NULL DEFAULT '',
  revision INTEGER NOT NULL DEFAULT 0,
  policy TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE bundle (
  digest TEXT PRIMARY KEY,
  bytes TEXT NOT NULL
);

-- Which documents a declared set consists of, so that history keeps them.
CREATE TABLE bundle_part (
  whole TEXT NOT NULL REFERENCES bundle (digest) ON DELETE CASCADE,
  part TEXT NOT NULL REFERENCES bundle (digest) ON DELETE RESTRICT,
  PRIMARY KEY (whole, part)
) WITHOUT ROWID;
CREATE INDEX bundle_part_part ON bundle_part (part);

-- A resource and its bundle arrive in one transaction, in either order.
CREATE TABLE resource (
  uid TEXT PRIMARY KEY,
  set_id INTEGER NOT NULL REFERENCES apply_set (id) ON DELETE RESTRICT,
  owner_uid TEXT,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  source_root_id TEXT NOT NULL,
  position TEXT NOT NULL,
  digest TEXT NOT NULL,
  generation INTEGER NOT NULL,
  labels TEXT NOT NULL DEFAULT '{}',
  annotations TEXT NOT NULL DEFAULT '{}',
  lifecycle TEXT NOT NULL DEFAULT '{}',
  launch_digest TEXT NOT NULL DEFAULT '',
  layout_version INTEGER NOT NULL DEFAULT 0,
  live TEXT NOT NULL DEFAULT '{}',
  canonical_ref TEXT REFERENCES bundle (digest) DEFERRABLE INITIALLY DEFERRED,
  last_applied_ref TEXT REFERENCES bundle (digest) DEFERRABLE INITIALLY DEFERRED,
  tombstone_until TEXT
);
CREATE UNIQUE INDEX resource_ref ON resource (kind, name) WHERE tombstone_until IS NULL;
CREATE INDEX resource_last_applied ON resource (last_applied_ref);
CREATE INDEX resource_canonical ON resource (canonical_ref);

CREATE TABLE field_owner (
  uid TEXT NOT NULL REFERENCES resource (uid) ON DELETE CASCADE,
  path TEXT NOT NULL,
  manager TEXT NOT NULL,
  expires_at TEXT,
  value TEXT NOT NULL DEFAULT 'null',
  declared TEXT NOT NULL DEFAULT 'null',
  PRIMARY KEY (uid, path)
);

-- What was deleted although it is declared, and stays absent until then. It has no row among the resources.
CREATE TABLE absence (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  manager TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (kind, name)
);

CREATE TABLE condition (
  uid TEXT NOT NULL REFERENCES resource (uid) ON DELETE CASCADE,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  observed_generation INTEGER NOT NULL,
  transitioned_at TEXT NOT NULL,
  PRIMARY KEY (uid, type)
);

CREATE TABLE observation (
  uid TEXT NOT NULL REFERENCES resource (uid) ON DELETE CASCADE,
  part TEXT NOT NULL,
  stamp TEXT NOT NULL,
  launch_digest TEXT NOT NULL DEFAULT '',
  layout_version INTEGER NOT NULL DEFAULT 0,
  presence TEXT NOT NULL,
  PRIMARY KEY (uid, part)
);

-- One row per action; `state` walks intent, acted, settled. `acted` says that `handle` grew after the intent.
CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  action TEXT NOT NULL,
  uid TEXT NOT NULL,
  verb TEXT NOT NULL,
  step TEXT NOT NULL DEFAULT '',
  token INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('intent', 'acted', 'settled')),
  handle TEXT NOT NULL DEFAULT '{}',
  at TEXT NOT NULL,
  outcome TEXT NOT NULL DEFAULT '',
  settled_at TEXT
);
CREATE INDEX journal_open ON journal (uid) WHERE state <> 'settled';
CREATE INDEX journal_run ON journal (run);

CREATE TABLE attempt (
  uid TEXT PRIMARY KEY,
  class TEXT NOT NULL,
  count INTEGER NOT NULL,
  next_at TEXT NOT NULL,
  input_digest TEXT NOT NULL,
  code TEXT NOT NULL,
  error TEXT NOT NULL
);

CREATE TABLE request (
  id TEXT PRIMARY KEY,
  verb TEXT NOT NULL,
  uid TEXT NOT NULL,
  args TEXT NOT NULL DEFAULT '{}',
  actor TEXT NOT NULL,
  state TEXT NOT NULL,
  result TEXT
);

CREATE TABLE run (
  id TEXT PRIMARY KEY,
  set_id INTEGER NOT NULL REFERENCES apply_set (id) ON DELETE RESTRICT,
  revision INTEGER NOT NULL,
  source_revision TEXT NOT NULL,
  plan_digest TEXT NOT NULL,
  actor TEXT NOT NULL,
  outcome TEXT NOT NULL,
  started TEXT NOT NULL,
  ended TEXT NOT NULL,
  bundle_ref TEXT NOT NULL REFERENCES bundle (digest) ON DELETE RESTRICT,
  command TEXT NOT NULL DEFAULT '',
  actions TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX run_bundle ON run (bundle_ref);

CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL REFERENCES resource (uid) ON DELETE CASCADE,
  reason TEXT NOT NULL,
  template TEXT NOT NULL,
  count INTEGER NOT NULL DEFAULT 1,
  first TEXT NOT NULL,
  last TEXT NOT NULL,
  UNIQUE (uid, reason, template)
);

-- Who writes, or wrote last: one row.
CREATE TABLE lease (
  slot INTEGER PRIMARY KEY DEFAULT 1 CHECK (slot = 1),
  token INTEGER NOT NULL,
  owner TEXT NOT NULL,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  since TEXT NOT NULL
);
