"""Literal secrets: known shapes are refused wherever values go to an agent, random text is only a warning."""

import pytest

from reconciler.declare.secrets import looks_random, shape_of
from tests.declare.sources import Directory, doc, told

# Written in halves, so that no scanner takes this file for a leak.
KEYS = {
    "an Anthropic key": "sk-ant-" + "api03-abcdefghijklmnop",
    "an OpenAI key": "sk-" + "proj-abcdefghijklmnop",
    "a Google API key": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "a GitHub token": "ghp_" + "abcdefghijklmnopqrst1234",
    "a Slack token": "xoxb-" + "1234567890-abcdef",
    "an AWS key id": "AKIA" + "ABCDEFGHIJKLMNOP",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a password in an address": "https://me:" + "hunter2@example.org/x",
}


@pytest.mark.parametrize(("what", "key"), KEYS.items())
def test_a_key_is_known_by_its_shape(what: str, key: str) -> None:
    assert shape_of(key) == what
    assert shape_of(f"prefix={key}") == what


@pytest.mark.parametrize(
    "text",
    [
        "",
        "debug",
        "sk-short",
        "/usr/local/bin:/usr/bin",
        "https://example.org/a?b=c",
        "a sentence, longer than any key would be",
        "task-management-is-a-word-too",
        "a" * 40,
        "path/to/some/directory/of/a/project/file.txt",
    ],
)
def test_prose_and_paths_are_no_secrets(text: str) -> None:
    assert shape_of(text) is None
    assert not looks_random(text)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Specialist", "{{provider: echo, env: {{A: '{}'}}}}"),
        ("Recipe", "{{roleRef: r, provider: echo, launch: {{env: {{A: '{}'}}}}}}"),
        ("Recipe", "{{roleRef: r, provider: echo, launch: {{overrides: {{args: {{values: ['{}']}}}}}}}}"),
        ("Recipe", "{{roleRef: r, provider: echo, extra: {{x: [{{y: '{}'}}]}}}}"),
        ("LaunchProfile", "{{specialistRef: s, env: {{A: '{}'}}}}"),
        ("AuthProfile", "{{provider: echo, source: {{env: {{ECHO_API_KEY: '{}'}}}}}}"),
    ],
)
def test_a_literal_secret_is_refused_and_not_repeated(directory: Directory, kind: str, spec: str) -> None:
    key = KEYS["an OpenAI key"]
    compiled = directory.put({"a.yaml": doc(kind, "x", spec.format(key))}).compiled()
    codes = [problem.code for problem in compiled.problems]
    assert codes.count("declare.secret.literal") == 1
    assert key not in str(compiled.problems)
    assert (
        "AuthProfile" in compiled.problems[0].hint or "{env: VARIABLE}" in compiled.problems[0].hint or len(codes) > 1
    )


def test_random_text_is_a_warning(directory: Directory) -> None:
    text = "q8Zr1Xk0Vt5Yw2Nc7Jp4Mb9Ld3Hf6Gs"
    compiled = directory.put({"a.yaml": doc("Specialist", "s", f"{{provider: echo, env: {{A: {text}}}}}")}).compiled()
    assert told(compiled.problems) == []
    assert [warning.code for warning in compiled.warnings] == ["declare.secret.random"]
    assert text not in str(compiled.warnings)


def test_a_prompt_may_speak_of_keys(directory: Directory) -> None:
    """A prompt is content, not an environment: what it quotes is the author's business."""
    prompt = f"Never print anything like {KEYS['an OpenAI key']}."
    compiled = directory.put({"a.yaml": doc("Specialist", "s", f"{{provider: echo, prompt: '{prompt}'}}")}).compiled()
    assert told(compiled.problems) == []
