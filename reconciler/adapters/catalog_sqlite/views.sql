-- Stable read views: a column named here is never renamed or dropped. Credential names are always the current ones.

CREATE VIEW v_content_refs AS
SELECT id, content_kind, storage_kind, relative_path, sha256, created_at FROM content_refs;

CREATE VIEW v_roles AS
SELECT roles.name AS role_name, content_refs.relative_path AS prompt_relative_path
FROM roles LEFT JOIN content_refs ON content_refs.id = roles.prompt_content_ref_id;

CREATE VIEW v_presets AS
SELECT presets.name AS preset_name, roles.name AS role_name, presets.tool AS tool, COALESCE(setup_profiles.name, 'default') AS setup_name,
  auth_profiles.display_name AS auth_name, presets.launch_payload AS launch_payload,
  presets.mailbox_payload AS mailbox_payload, presets.extra_payload AS extra_payload
FROM presets
JOIN roles ON roles.id = presets.role_id
LEFT JOIN setup_profiles ON setup_profiles.id = presets.setup_profile_id
LEFT JOIN auth_profiles ON auth_profiles.id = presets.auth_profile_id;

CREATE VIEW v_preset_skills AS
SELECT presets.name AS preset_name, skill_packages.name AS skill_name, preset_skill_packages.ordinal AS ordinal
FROM preset_skill_packages
JOIN presets ON presets.id = preset_skill_packages.preset_id
JOIN skill_packages ON skill_packages.id = preset_skill_packages.skill_package_id;

CREATE VIEW v_specialists AS
SELECT specialists.name AS specialist_name, presets.name AS preset_name, specialists.tool AS tool,
  specialists.provider AS provider, auth_profiles.display_name AS credential_name, roles.name AS role_name,
  COALESCE(setup_profiles.name, 'default') AS setup_name, prompt.relative_path AS prompt_relative_path,
  auth.relative_path AS auth_relative_path
FROM specialists
JOIN presets ON presets.id = specialists.preset_id
JOIN roles ON roles.id = specialists.role_id
LEFT JOIN setup_profiles ON setup_profiles.id = presets.setup_profile_id
LEFT JOIN auth_profiles ON auth_profiles.id = presets.auth_profile_id
LEFT JOIN content_refs AS prompt ON prompt.id = roles.prompt_content_ref_id
LEFT JOIN content_refs AS auth ON auth.id = auth_profiles.content_ref_id;

CREATE VIEW v_launch_profiles AS
SELECT launch_profiles.name AS launch_profile_name, profile_lane, source_kind, source_name, managed_agent_name,
  managed_agent_id, workdir, auth_profiles.display_name AS auth_name, model_name, reasoning_level,
  operator_prompt_mode, env_payload, mailbox_payload, posture_payload, relaunch_chat_session_payload,
  system_skills_payload, managed_header_policy, managed_header_section_policy, prompt_overlay_mode,
  overlay.relative_path AS prompt_overlay_relative_path,
  appendix.relative_path AS gateway_mail_notifier_appendix_relative_path, memo_seed_source_kind,
  memo.relative_path AS memo_seed_relative_path
FROM launch_profiles
LEFT JOIN auth_profiles ON auth_profiles.id = launch_profiles.auth_profile_id
LEFT JOIN content_refs AS overlay ON overlay.id = launch_profiles.prompt_overlay_content_ref_id
LEFT JOIN content_refs AS appendix ON appendix.id = launch_profiles.gateway_mail_notifier_appendix_content_ref_id
LEFT JOIN content_refs AS memo ON memo.id = launch_profiles.memo_seed_content_ref_id;
