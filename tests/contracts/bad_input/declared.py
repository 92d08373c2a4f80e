"""Declarations that must be refused, each with where, by which rule, and what the person is told to do.

Positions are `file:line:column`, counted from 1; the first line of each document is its `apiVersion`.
"""

import os
from pathlib import Path

from tests.contracts.bad_input.case import (
    FILE,
    INSTANCE,
    KEY,
    ROLE,
    SPECIALIST,
    Case,
    Fault,
    agent,
    bomb,
    composition,
    documents,
    named_prompt,
    outside,
    raw,
    source_as,
    spec,
    through_a_link,
    through_a_linked_directory,
    two_files,
)
from tests.contracts.bad_input.machine import HEADER

LOOP = "kind: Recipe\nmetadata: {name: loop}\nspec:\n  provider: echo\n  roleRef: r\n  extra: &me\n    again: *me\n"

YAML = (
    Case(
        "tab",
        raw(f"{HEADER}kind: Specialist\nmetadata:\n\tname: coder\n"),
        (Fault("declare.yaml.tab", "R-LOAD-4", f"{FILE}:4:1", ("spaces",)),),
    ),
    Case(
        "yes_as_text",
        agent("agentName: yes"),
        (Fault("declare.yaml.ambiguous_word", "R-LOAD-4", f"{FILE}:11:14", ('"yes"',)),),
    ),
    Case(
        "off_as_text",
        spec("provider: echo\nenv:\n  COLOUR: off"),
        (Fault("declare.yaml.ambiguous_word", "R-LOAD-4", f"{FILE}:7:13", ('"off"',)),),
    ),
    Case(
        "duplicate_key",
        spec("provider: echo\nprompt: a\nprompt: b"),
        (Fault("declare.yaml.duplicate_key", "R-LOAD-4", f"{FILE}:7:3", ("prompt",)),),
    ),
    Case(
        "custom_tag",
        spec("provider: !!python/name:os.system echo"),
        (Fault("declare.yaml.tag", "R-LOAD-4", f"{FILE}:5:13"),),
    ),
    Case(
        "timestamp",
        spec("provider: echo\nmodel: 2024-01-02"),
        (Fault("declare.yaml.timestamp", "R-LOAD-4", f"{FILE}:6:10", ("quote",)),),
    ),
    Case(
        "recursive_alias",
        documents(
            LOOP,
            ROLE,
        ),
        (Fault("declare.yaml.recursive_alias", "R-LOAD-4", f"{FILE}:8:12"),),
    ),
    Case("bomb", documents(bomb()), (Fault("declare.yaml.too_many_nodes", "R-LOAD-5", f"{FILE}:11:44", ("aliases",)),)),
    Case(
        "brackets",
        raw(HEADER + "kind: Recipe\nspec: " + "[" * 25_000 + "]" * 25_000 + "\n"),
        (Fault("declare.yaml.too_deep", "R-LOAD-5", f"{FILE}:3:70"),),
    ),
    Case(
        "braces",
        raw(HEADER + "kind: Recipe\nspec: " + "{a: " * 25_000 + "}" * 25_000 + "\n"),
        (Fault("declare.yaml.too_deep", "R-LOAD-5", f"{FILE}:3:259"),),
    ),
    Case(
        "unclosed",
        spec("provider: [echo"),
        (Fault("declare.yaml.syntax", "R-LOAD-4", f"{FILE}:6:1", ("begins in line 5",)),),
    ),
    Case(
        "binary_garbage",
        raw(bytes(range(256)) * 40),
        (Fault("declare.yaml.encoding", "R-LOAD-4", f"{FILE}:1:1"),),
    ),
    Case(
        "utf16",
        raw((HEADER + SPECIALIST).encode("utf-16")),
        (Fault("declare.yaml.encoding", "R-LOAD-4", f"{FILE}:1:1", ("UTF-8",)),),
    ),
    Case(
        "latin1",
        raw((HEADER + SPECIALIST.replace("You", "Y\u00f6u")).encode("latin-1")),
        (Fault("declare.yaml.encoding", "R-LOAD-4", f"{FILE}:4:33", ("UTF-8",)),),
    ),
    Case(
        "control_character",
        raw(HEADER + SPECIALIST.replace("You", "Y\x1bou")),
        (Fault("declare.yaml.control_character", "R-LOAD-4", f"{FILE}:4:33", ("U+001B",)),),
    ),
    Case(
        "a_list",
        raw("- kind: Specialist\n"),
        (Fault("declare.yaml.not_a_mapping", "R-MOD-1", f"{FILE}:1:1"),),
    ),
)

DOCUMENTS = (
    Case(
        "unknown_field",
        spec("provider: echo\npromt: You write code."),
        (Fault("declare.schema.unknown_field", "R-VAL-2", f"{FILE}:6:3", ("did you mean 'prompt'?",)),),
    ),
    Case(
        "unknown_kind",
        documents("kind: Specialst\nmetadata: {name: coder}\nspec: {provider: echo}\n"),
        (Fault("declare.kind.unknown", "R-MOD-1", f"{FILE}:2:7", ("Specialist",)),),
    ),
    Case(
        "api_version",
        raw("apiVersion: houmao/v2\n" + SPECIALIST),
        (Fault("declare.api_version", "R-MOD-2", f"{FILE}:1:13", ("houmao/v1alpha1",)),),
    ),
    Case(
        "invalid_name",
        spec("provider: echo", name="-coder-"),
        (Fault("declare.name", "R-MOD-4", f"{FILE}:3:18"),),
    ),
    Case(
        "upper_case_name",
        spec("provider: echo", name="CodeR"),
        (Fault("declare.name", "R-MOD-4", f"{FILE}:3:18", ("write 'coder'",)),),
    ),
    Case(
        "reserved_name",
        spec("provider: echo", name="houmao-coder"),
        (Fault("declare.name", "R-MOD-4", f"{FILE}:3:18", ("reserved prefix",)),),
    ),
    Case(
        "duplicate_document",
        two_files(SPECIALIST, SPECIALIST),
        (Fault("declare.duplicate", "R-LOAD-3", "fleet/b.yaml:3:18", ("fleet/a.yaml:3:18",)),),
        ("-f", "fleet"),
    ),
    Case(
        "derived_duplicate",
        documents(SPECIALIST, "kind: Role\nmetadata: {name: coder}\nspec: {prompt: Mine.}\n"),
        (Fault("declare.duplicate", "R-LOAD-3", f"{FILE}:8:18", (f"{FILE}:3:18", "Specialist/coder")),),
    ),
    Case(
        "status",
        documents(SPECIALIST + "status: {phase: Ready}\n"),
        (Fault("declare.status_in_input", "R-MOD-1", f"{FILE}:5:1"),),
    ),
    Case(
        "reserved_annotation",
        documents(SPECIALIST.replace("{name: coder}", "{name: coder, annotations: {houmao/preventDestory: 'true'}}")),
        (Fault("declare.metadata.reserved", "R-MOD-8", f"{FILE}:3:39"),),
    ),
    Case(
        "two_projects",
        documents(
            "kind: Project\nmetadata: {name: one}\nspec: {}\n", "kind: Project\nmetadata: {name: two}\nspec: {}\n"
        ),
        (Fault("declare.project.second", "R-MOD-1", f"{FILE}:8:18", (f"{FILE}:3:18",)),),
    ),
    Case(
        "dangling",
        documents("kind: Instance\nmetadata: {name: alice}\nspec: {specialistRef: nobody}\n"),
        (Fault("declare.reference.dangling", "R-MOD-7", f"{FILE}:4:23", ("declare Specialist/nobody",)),),
    ),
    Case(
        "cycle",
        documents(
            SPECIALIST,
            *(
                f"kind: Instance\nmetadata: {{name: {one}}}\nspec:\n  specialistRef: coder\n"
                f"  dependsOn:\n    - ref: Instance/{other}\n"
                for one, other in (("a", "b"), ("b", "c"), ("c", "a"))
            ),
        ),
        (
            Fault(
                "declare.reference.cycle",
                "R-VAL-3",
                f"{FILE}:12:12",
                ("Instance/a", "Instance/b", "Instance/c", f"{FILE}:20:12", f"{FILE}:28:12"),
            ),
        ),
    ),
    Case(
        "self_cycle",
        agent("dependsOn: [{ref: Instance/alice}]"),
        (Fault("declare.reference.cycle", "R-VAL-3", f"{FILE}:11:21"),),
    ),
    Case(
        "session_name_escaped",
        agent("sessionName: team.alice"),
        (Fault("declare.name", "R-MOD-4a", f"{FILE}:11:16", ("write 'team_alice'",)),),
    ),
    Case(
        "session_names_equal_after_escaping",
        documents(
            SPECIALIST,
            *(
                INSTANCE.replace("alice", name).replace("coder}", f"coder, sessionName: '{session}'}}")
                for name, session in (("a", "team:a"), ("b", "team.a"))
            ),
        ),
        (
            Fault("declare.name", "R-MOD-4a", f"{FILE}:9:43", ("write 'team_a'",)),
            Fault("declare.name", "R-MOD-4a", f"{FILE}:14:43", ("write 'team_a'",)),
            Fault("declare.session_name.collision", "R-MOD-4a", f"{FILE}:14:43", (f"{FILE}:9:43",)),
        ),
    ),
    Case(
        "session_name_twice",
        documents(
            SPECIALIST,
            *(
                f"kind: Instance\nmetadata: {{name: {name}}}\nspec: {{specialistRef: coder, sessionName: team_a}}\n"
                for name in "ab"
            ),
        ),
        (Fault("declare.session_name.collision", "R-MOD-4a", f"{FILE}:14:43", (f"{FILE}:9:43",)),),
    ),
    Case(
        "session_name_of_a_set",
        documents(
            SPECIALIST,
            "kind: InstanceSet\nmetadata: {name: many}\n"
            "spec: {replicas: 2, template: {specialistRef: coder, sessionName: team}}\n",
        ),
        (Fault("declare.session_name.collision", "R-MOD-4a", f"{FILE}:9:54"),),
    ),
    Case(
        "limit",
        documents(
            "kind: Project\nmetadata: {name: small}\nspec: {limits: {instances: 1}}\n",
            SPECIALIST,
            "kind: InstanceSet\nmetadata: {name: many}\nspec: {replicas: 2, template: {specialistRef: coder}}\n",
        ),
        (Fault("declare.limit", "R-VAL-4", f"{FILE}:4:17", ("the limit is 1",)),),
    ),
    Case(
        "unknown_provider",
        spec("provider: ecko"),
        (Fault("declare.provider.unknown", "R-MOD-12", f"{FILE}:5:13", ("did you mean 'echo'?",)),),
    ),
)

FILES = (
    Case(
        "escaping_path",
        lambda machine: (outside(machine), spec("provider: echo\npromptFile: ../outside/secret.md")(machine)),
        (Fault("declare.path.escape", "R-LOAD-8", f"{FILE}:6:15"),),
    ),
    Case(
        "absolute_path",
        spec("provider: echo\npromptFile: /etc/hostname"),
        (Fault("declare.path.escape", "R-LOAD-8", f"{FILE}:6:15"),),
    ),
    Case("escaping_link", through_a_link, (Fault("declare.path.escape", "R-LOAD-8", f"{FILE}:6:15"),)),
    Case(
        "escaping_directory_link",
        through_a_linked_directory,
        (Fault("declare.path.escape", "R-LOAD-8", f"{FILE}:5:9"),),
    ),
    Case(
        "missing_prompt",
        spec("provider: echo\npromptFile: prompts/coder.md"),
        (Fault("declare.content.missing", "R-LOAD-8", f"{FILE}:6:15"),),
    ),
    Case(
        "directory_as_prompt",
        named_prompt(Path.mkdir),
        (Fault("declare.content.wrong_sort", "R-LOAD-8", f"{FILE}:6:15"),),
    ),
    Case(
        "pipe_as_prompt",
        named_prompt(os.mkfifo),
        (Fault("declare.content.unreadable", "R-LOAD-8", f"{FILE}:6:15", ("pipe",)),),
    ),
    Case(
        "dangling_link_as_prompt",
        named_prompt(lambda path: path.symlink_to("nowhere.md")),
        (Fault("declare.content.missing", "R-LOAD-8", f"{FILE}:6:15"),),
    ),
    Case(
        "endless_link_as_prompt",
        named_prompt(lambda path: path.symlink_to("prompt.md")),
        (Fault("declare.content.unreadable", "R-LOAD-8", f"{FILE}:6:15"),),
    ),
    Case(
        "skill_without_its_page",
        lambda machine: (
            machine.write("skills/review/notes.md", "x"),
            documents("kind: Skill\nmetadata: {name: review}\nspec:\n  path: skills/review\n")(machine),
        ),
        (Fault("declare.content.incomplete", "R-LOAD-8", f"{FILE}:5:9", ("SKILL.md",)),),
    ),
    Case(
        "missing_file",
        lambda machine: None,
        (Fault("declare.root.missing", "R-LOAD-10", f"{FILE}:1:1", ("not taken as deleted",)),),
    ),
    Case(
        "missing_directory",
        lambda machine: None,
        (Fault("declare.root.missing", "R-LOAD-10", "fleet:1:1", ("not taken as deleted",)),),
        ("-f", "fleet/", "-R"),
    ),
    Case(
        "empty_directory",
        lambda machine: (machine.project / "fleet").mkdir(),
        (Fault("declare.no_documents", "R-LOAD-10", ""),),
        ("-f", "fleet"),
    ),
    Case("empty_file", raw(""), (Fault("declare.no_documents", "R-LOAD-10", ""),)),
    Case("only_comments", raw("# nothing yet\n---\n---\n"), (Fault("declare.no_documents", "R-LOAD-10", ""),)),
    Case("empty_stdin", lambda machine: None, (Fault("declare.no_documents", "R-LOAD-10", ""),), ("-f", "-")),
    Case(
        "broken_stdin",
        lambda machine: None,
        (Fault("declare.schema.unknown_field", "R-VAL-2", "<stdin>:4:24"),),
        ("-f", "-"),
        stdin=(HEADER + SPECIALIST.replace("prompt:", "promt:")).encode(),
    ),
    Case(
        "pipe_as_source",
        source_as(os.mkfifo),
        (Fault("declare.root.unreadable", "R-LOAD-10", f"{FILE}:1:1", ("pipe",)),),
    ),
    Case(
        "dangling_link_as_source",
        source_as(lambda path: path.symlink_to("nowhere.yaml")),
        (Fault("declare.root.missing", "R-LOAD-10", f"{FILE}:1:1"),),
    ),
    Case(
        "directory_named_like_a_file",
        lambda machine: (machine.project / "fleet" / "team.yaml").mkdir(parents=True),
        (Fault("declare.no_documents", "R-LOAD-10", ""),),
        ("-f", "fleet"),
    ),
)

SECRETS = (
    Case(
        "literal_key_in_env",
        spec(f"provider: echo\nenv:\n  TOKEN_OF_MINE: {KEY}"),
        (Fault("declare.secret.literal", "R-SEC-4", f"{FILE}:7:20", ("AuthProfile",)),),
    ),
    Case(
        "literal_in_a_sensitive_field",
        spec("provider: claude\nsource:\n  env:\n    ANTHROPIC_API_KEY: hunter2", "AuthProfile", "work"),
        (Fault("declare.secret.literal", "R-SEC-4", f"{FILE}:8:26", ("exec",)),),
    ),
    Case(
        "credential_variable_in_env",
        spec("provider: claude\nenv:\n  ANTHROPIC_API_KEY: hunter2"),
        (Fault("declare.env.credential", "R-SEC-4", f"{FILE}:7:5", ("AuthProfile",)),),
    ),
)

COMPOSITIONS = (
    Case(
        "json_patch",
        composition(
            "kind: Overlay\nmetadata: {name: x}\nspec:\n  resources: [a.yaml]\n"
            "  patches: [{path: p.yaml, target: {kind: Specialist}}]\n",
            a=SPECIALIST,
        ),
        (Fault("declare.not_implemented", "R-VAL-2", "comp/overlay.yaml:6:28", ("merge patch",)),),
        ("-k", "comp"),
    ),
    Case(
        "undefined_variable",
        composition(
            "kind: Overlay\nmetadata: {name: x}\nspec:\n  resources: [a.yaml]\n",
            a=SPECIALIST.replace("You write code.", "'Write ${what}.'"),
        ),
        (Fault("declare.variable.undefined", "R-LOAD-7", "comp/a.yaml:4:32", ("what",)),),
        ("-k", "comp"),
    ),
    Case(
        "base_outside",
        lambda machine: (
            outside(machine),
            composition("kind: Overlay\nmetadata: {name: x}\nspec:\n  bases: [../../outside]\n")(machine),
        ),
        (Fault("declare.path.escape", "R-LOAD-8", "comp/overlay.yaml:5:11"),),
        ("-k", "comp"),
    ),
    Case(
        "base_of_itself",
        composition("kind: Overlay\nmetadata: {name: x}\nspec:\n  bases: [../comp]\n"),
        (Fault("declare.overlay.cycle", "R-VAL-3", "comp/overlay.yaml:5:11"),),
        ("-k", "comp"),
    ),
    Case(
        "no_composition",
        lambda machine: (machine.project / "comp").mkdir(),
        (Fault("declare.overlay.missing", "R-LOAD-6", "comp:1:1"),),
        ("-k", "comp"),
    ),
)

REFERRED = (YAML, DOCUMENTS, FILES, SECRETS, COMPOSITIONS)
CASES = [case for family in REFERRED for case in family]
