"""The loopback server as its three kinds of client see it, over real HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import grammar
from tests.loopback.fixtures import loopback  # noqa: F401 - a fixture
from tests.loopback.grammar import Call, Heard, JsonObject, Passage, Say, Stall, Think
from tests.loopback.server import LoopbackServer

KEY = "key-that-must-not-be-kept"
ROOT = Path(__file__).parents[2]
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str, body: JsonObject) -> tuple[int, str]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json", "x-api-key": KEY, "authorization": KEY}
    )
    try:
        with DIRECT.open(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def events(text: str) -> list[JsonObject]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


class Client:
    """A conversation in one of the protocols: `ask` sends a prompt and gives what a CLI would show."""

    def __init__(self, wire: str, url: str) -> None:
        self.wire, self.url, self.history = wire, url, []  # type: tuple[str, str, list[JsonObject]]
        self.role, self.tools = "You are a tester. role-mark:beta_2", ["exec_command"]

    def ask(self, prompt: str, stream: bool = True) -> tuple[int, str]:
        if self.wire == "anthropic":
            self.history.append({"role": "user", "content": [{"type": "text", "text": prompt}]})
        elif self.wire == "openai":
            content = [{"type": "input_text", "text": prompt}]
            self.history.append({"type": "message", "role": "user", "content": content})
        else:
            self.history.append({"role": "user", "parts": [{"text": prompt}]})
        return self.send(stream)

    def give(self, result: str) -> tuple[int, str]:
        """Send the result of a tool call."""
        if self.wire == "anthropic":
            content = [{"type": "tool_result", "tool_use_id": "x", "content": [{"type": "text", "text": result}]}]
            self.history.append({"role": "user", "content": content})
        elif self.wire == "openai":
            self.history.append({"type": "function_call_output", "call_id": "x", "output": result})
        else:
            part = {"functionResponse": {"name": "run_shell_command", "response": {"output": result}}}
            self.history.append({"role": "user", "parts": [part]})
        return self.send(True)

    def send(self, stream: bool, schema: JsonObject | None = None) -> tuple[int, str]:
        tools: list[JsonObject] = [{"name": name} for name in self.tools]
        if self.wire == "anthropic":
            body: JsonObject = {"model": "m", "system": self.role, "messages": self.history, "stream": stream}
            body["tools"] = tools
            if schema:
                body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
            return post(f"{self.url}/v1/messages?beta=true", body)
        if self.wire == "openai":
            developer = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": self.role}]}
            body = {"model": "m", "input": [developer, *self.history], "stream": stream, "tools": tools}
            if schema:
                body["text"] = {"format": {"type": "json_schema", "name": "title", "schema": schema}}
            return post(f"{self.url}/v1/responses", body)
        body = {"systemInstruction": {"parts": [{"text": self.role}]}, "contents": self.history}
        body["tools"] = [{"functionDeclarations": tools}]
        if schema:
            body["generationConfig"] = {"responseMimeType": "application/json", "responseJsonSchema": schema}
        method = "streamGenerateContent?alt=sse&key=" if stream else "generateContent?key="
        return post(f"{self.url}/v1beta/models/m:{method}{KEY}", body)

    def text(self, answer: str) -> str:
        """The text deltas of a streamed answer, joined."""
        found = events(answer)
        if self.wire == "anthropic":
            return "".join(e["delta"].get("text", "") for e in found if e["type"] == "content_block_delta")
        if self.wire == "openai":
            return "".join(e["delta"] for e in found if e["type"] == "response.output_text.delta")
        parts = [part for e in found for part in e["candidates"][0]["content"]["parts"]]
        return "".join(part.get("text", "") for part in parts if not part.get("thought"))

    def thought(self, answer: str) -> str:
        found = events(answer)
        if self.wire == "anthropic":
            return "".join(e["delta"].get("thinking", "") for e in found if e["type"] == "content_block_delta")
        if self.wire == "openai":
            return "".join(e["delta"] for e in found if e["type"] == "response.reasoning_summary_text.delta")
        parts = [part for e in found for part in e["candidates"][0]["content"]["parts"]]
        return "".join(part["text"] for part in parts if part.get("thought"))

    def call(self, answer: str) -> tuple[str, JsonObject]:
        """(tool, arguments) of the tool call in a streamed answer."""
        found = events(answer)
        if self.wire == "anthropic":
            starts = [e["content_block"] for e in found if e["type"] == "content_block_start"]
            name = next(block["name"] for block in starts if block["type"] == "tool_use")
            partial = [e["delta"].get("partial_json", "") for e in found if e["type"] == "content_block_delta"]
            return name, json.loads("".join(partial))
        if self.wire == "openai":
            item = next(e["item"] for e in found if e["type"] == "response.output_item.done")
            return f"{item['namespace']}__{item['name']}" if "namespace" in item else item["name"], json.loads(
                item["arguments"]
            )
        parts = [part for e in found for part in e["candidates"][0]["content"]["parts"]]
        call = next(part["functionCall"] for part in parts if "functionCall" in part)
        return call["name"], call["args"]

    def whole(self, answer: str) -> str:
        """The text of an answer that was not streamed."""
        body = json.loads(answer)
        if self.wire == "anthropic":
            return str(body["content"][0]["text"])
        if self.wire == "openai":
            return str(body["output"][0]["content"][0]["text"])
        return str(body["candidates"][0]["content"]["parts"][0]["text"])


@pytest.fixture(params=["anthropic", "openai", "google"])
def client(request: pytest.FixtureRequest, loopback: LoopbackServer) -> Client:  # noqa: F811
    return Client(request.param, loopback.url)


def test_an_echo_comes_back_word_by_word(client: Client) -> None:
    status, answer = client.ask("echo two  words")

    assert status == 200
    assert client.text(answer) == "two  words"
    assert len(events(answer)) > 2


def test_the_same_answer_comes_whole_when_no_stream_was_asked_for(client: Client) -> None:
    assert client.whole(client.ask("echo two words", stream=False)[1]) == "two words"


def test_anything_else_is_echoed(client: Client) -> None:
    assert client.text(client.ask("what is the time?")[1]) == "what is the time?"


def test_the_role_is_found_and_named_with_its_place(client: Client) -> None:
    place = "developer" if client.wire == "openai" else "system"

    assert client.text(client.ask("role")[1]) == f"role: beta_2 in {place}"
    assert client.text(client.ask("role a tester")[1]) == f"role: a tester in {place}"
    assert client.text(client.ask("role a reviewer")[1]) == "role: none"


def test_a_shell_prompt_calls_the_shell_of_that_cli_and_reports_its_result(client: Client) -> None:
    tool, arguments = client.call(client.ask("shell ls -l")[1])
    shells = {"anthropic": "Bash", "openai": "exec_command", "google": "run_shell_command"}
    assert tool == shells[client.wire]
    assert "ls -l" in arguments.values()

    assert client.text(client.give("total 0")[1]) == "shell said: total 0"
    assert client.text(client.ask("echo next")[1]) == "next"


def test_any_tool_can_be_called(client: Client) -> None:
    answer = client.ask('tool mcp__notes__add {"text": "milk"}')[1]

    assert client.call(answer) == ("mcp__notes__add", {"text": "milk"})
    assert client.text(client.give("ok")[1]) == "tool said: ok"


def test_a_thought_is_kept_apart_from_the_answer(client: Client) -> None:
    answer = client.ask("thinking of tea")[1]

    assert client.thought(answer) == "of tea"
    assert client.text(answer) == "thought: of tea"


def test_an_error_has_the_status_asked_for(client: Client, loopback: LoopbackServer) -> None:  # noqa: F811
    status, answer = client.ask("http 429")

    assert status == 429
    assert "http 429" in json.loads(answer)["error"]["message"]
    assert loopback.log[0]["status"] == 429


def test_a_side_request_gets_json_that_fits_its_schema(client: Client, loopback: LoopbackServer) -> None:  # noqa: F811
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}, "kind": {"enum": ["a", "b"]}, "n": {"type": ["integer", "null"]}},
        "required": ["title", "kind", "n"],
    }
    client.ask("http 500")
    answer = client.send(True, schema)[1]

    assert json.loads(client.text(answer)) == {"title": "loopback", "kind": "a", "n": 1}
    assert [entry["answer"] for entry in loopback.log] == ["http", "json"]
    assert [entry["answer"] for entry in loopback.turns()] == ["http"]


def test_a_slow_answer_arrives_whole(client: Client) -> None:
    assert client.text(client.ask("slow 0.3")[1]) == "word1 word2 word3 end"


def test_the_log_tells_what_was_asked_and_keeps_no_key(client: Client, loopback: LoopbackServer) -> None:  # noqa: F811
    client.ask("echo one")
    client.ask("echo two")

    first, second = loopback.log
    assert (first["wire"], first["prompt"], first["earlier"], first["finished"]) == (client.wire, "echo one", [], True)
    assert (second["prompt"], second["earlier"], second["number"]) == ("echo two", ["echo one"], 1)
    assert any("role-mark:beta_2" in text for text in first["role"])
    assert first["tools"] == ["exec_command"]
    assert "x-api-key" in first["headers"]
    assert KEY not in json.dumps(loopback.log)


def test_a_stalled_answer_ends_when_the_client_goes(client: Client, loopback: LoopbackServer) -> None:  # noqa: F811
    host = loopback.url.removeprefix("http://")
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "stall"}]}]})
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("POST", "/v1beta/models/m:streamGenerateContent?alt=sse", body)
    loopback.wait_for(lambda entry: entry["answer"] == "stall")
    assert loopback.log[0]["finished"] is False
    connection.close()

    assert loopback.wait_for(lambda entry: entry["status"] == 200 and entry["ended"])["finished"] is False


def test_closing_the_server_ends_a_stalled_answer() -> None:
    with LoopbackServer() as server:
        client, done = Client("anthropic", server.url), threading.Event()
        answers: list[tuple[int, str]] = []

        def ask() -> None:
            answers.append(client.ask("stall"))
            done.set()

        threading.Thread(target=ask, daemon=True).start()
        server.wait_for(lambda entry: entry["answer"] == "stall")

    assert done.wait(30)
    assert client.text(answers[0][1]) == ""


def test_waiting_for_what_never_comes_tells_what_came(loopback: LoopbackServer) -> None:  # noqa: F811
    Client("openai", loopback.url).ask("echo here")

    with pytest.raises(TimeoutError, match=r"POST /v1/responses 'echo here' echo"):
        loopback.wait_for_prompt("echo there", timeout_s=0.01)


def test_a_tunnel_is_refused_and_logged(loopback: LoopbackServer) -> None:  # noqa: F811
    with socket.create_connection(("127.0.0.1", loopback.port), timeout=30) as wire:
        wire.sendall(b"CONNECT elsewhere.invalid:443 HTTP/1.1\r\nHost: elsewhere.invalid:443\r\n\r\n")
        assert wire.makefile("rb").readline().split()[1] == b"403"

    loopback.wait_for(lambda entry: entry["method"] == "CONNECT" and entry["answer"] == "refused")
    assert loopback.outside() == ["elsewhere.invalid:443"]


def test_a_fetch_for_another_host_is_refused_and_logged_without_its_query(loopback: LoopbackServer) -> None:  # noqa: F811
    through = urllib.request.build_opener(urllib.request.ProxyHandler({"http": loopback.url}))

    with pytest.raises(urllib.error.HTTPError) as refused:
        through.open(f"http://elsewhere.invalid/v1/messages?key={KEY}", b"{}", timeout=30)
    refused.value.close()

    assert refused.value.code == 403
    assert loopback.outside() == ["elsewhere.invalid"]
    assert KEY not in json.dumps(loopback.log)


def test_tokens_are_counted(loopback: LoopbackServer) -> None:  # noqa: F811
    message = {"role": "user", "content": "x" * 40}
    counted = post(f"{loopback.url}/v1/messages/count_tokens?beta=true", {"model": "m", "messages": [message]})[1]
    contents = [{"role": "user", "parts": [{"text": "x" * 40}]}]
    also = post(f"{loopback.url}/v1beta/models/m:countTokens", {"contents": contents})[1]

    assert (json.loads(counted), json.loads(also)) == ({"input_tokens": 10}, {"totalTokens": 10})
    assert loopback.turns() == []


def test_what_is_no_request_is_told_so(loopback: LoopbackServer) -> None:  # noqa: F811
    assert post(f"{loopback.url}/v1/messages", {"messages": [{"role": "user", "content": [5]}]})[0] == 400
    assert post(f"{loopback.url}/v1/unheard-of", {})[0] == 404


def test_many_clients_are_served_at_once(loopback: LoopbackServer) -> None:  # noqa: F811
    texts: list[str] = []

    def one(number: int) -> None:
        client = Client("anthropic", loopback.url)
        texts.append(client.text(client.ask(f"echo {number}")[1]))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(texts, key=int) == [str(number) for number in range(16)]
    assert sorted(entry["number"] for entry in loopback.log) == list(range(16))


def test_it_runs_as_a_program_that_keeps_its_log_in_a_file(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    command = [sys.executable, "-m", "tests.loopback.server", "--log", str(log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        client = Client("google", program.stdout.readline().strip())
        assert client.text(client.ask("echo hello")[1]) == "hello"
        program.terminate()
        assert program.wait(30) == 0

    assert [json.loads(line)["prompt"] for line in log.read_text(encoding="utf-8").splitlines()] == ["echo hello"]


@pytest.mark.parametrize(
    ("prompt", "verb"),
    [
        ("echo", ("echo", "echo")),
        ("echo hi", ("echo", "hi")),
        ("  stall  ", ("stall", "")),
        ("stall for time", ("echo", "stall for time")),
        ("slow progress", ("echo", "slow progress")),
        ("slow 2", ("slow", "2")),
        ("http 200", ("echo", "http 200")),
        ("tool box", ("tool", "box")),
        ("tool box {broken", ("echo", "tool box {broken")),
        ("put back by Escape\nshell true", ("shell", "true")),
        ("", ("echo", "")),
    ],
)
def test_a_verb_needs_the_argument_it_understands(prompt: str, verb: tuple[str, str]) -> None:
    assert grammar.verb_of(prompt) == verb


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("echo hi", "echo hi"),
        ("<system-reminder>\nbe good\n</system-reminder>\necho hi", "echo hi"),
        ('<pasted_content id="1">\none\ntwo\n</pasted_content id="1">', "one\ntwo"),
        ("[Request interrupted by user]", ""),
        ("<turn_aborted>\non purpose\n</turn_aborted>", ""),
        ("# AGENTS.md instructions for /home/user\n\nbe good", ""),
        ("# AGENTS.md instructions\n\n<INSTRUCTIONS>\nbe good\n</INSTRUCTIONS>", ""),
    ],
)
def test_what_a_cli_adds_to_a_prompt_is_told_from_it(text: str, typed: str) -> None:
    found, envelopes = grammar.taken_apart(text)

    assert found == typed
    assert ("be good" in envelopes) == ("be good" in text)


def test_the_grammar_needs_no_server() -> None:
    told: list[tuple[Heard, Callable[[tuple[Any, ...]], bool]]] = [
        (Heard("echo hi there"), lambda pieces: pieces == (Say("hi "), Say("there"))),
        (Heard("stall"), lambda pieces: pieces == (Stall(),)),
        (Heard("shell ls"), lambda pieces: pieces == (Call(None, {"command": "ls"}),)),
        (Heard("thinking x"), lambda pieces: pieces[0] == Think("x")),
        (Heard("role", passages=(Passage("user", "role-mark:a"),)), lambda pieces: pieces[1] == Say("a ")),
    ]
    for heard, fits in told:
        assert fits(grammar.answer(heard)), heard
