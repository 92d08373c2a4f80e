"""One headless turn as text: the script that runs it, and the canonical events in what it printed. Pure.

turn-0001/  prompt          until the runner has read it
            turn.sh         only where the turn differs from the home's own launch
            process.json    runner_pid, child_pid, launched_at_utc
            stdout.jsonl  stderr.log
            exitcode        written last: the durable sign that the turn is over
            canonical-events.jsonl
"""

import json

from reconciler.build import helper, launch, model_selection
from reconciler.build.assemble import Site, pointers, start_of
from reconciler.build.merge import at
from reconciler.model.json import Json, JsonMap
from reconciler.ports.build import Host, LaunchPlanRequest, ModelConfig, RolePackage
from reconciler.ports.provider import Provider, Resume, backend_of
from reconciler.ports.turn import Heard

ARTIFACTS = "manifest.turn-artifacts"
PROMPT, SCRIPT, PROCESS = "prompt", "turn.sh", "process.json"
STDOUT, STDERR, EXITCODE, EVENTS = "stdout.jsonl", "stderr.log", "exitcode", "canonical-events.jsonl"

RUNNER = """\
umask 077
dir=$1 at=$2
shift 2
prompt=$(cat "$dir/prompt"; printf x)
rm -f "$dir/prompt"
child=
hand_on() {
    caught=1
    [ -n "$child" ] || return 0
    trap '' TERM
    kill -TERM 0
    trap hand_on TERM
}
trap hand_on TERM INT HUP
"$@" "${prompt%x}" </dev/null >"$dir/stdout.jsonl" 2>"$dir/stderr.log" &
child=$!
printf '{"runner_pid": %s, "child_pid": %s, "launched_at_utc": "%s"}\\n' "$$" "$child" "$at" >"$dir/.process.json"
(trap '' TERM; exec mv "$dir/.process.json" "$dir/process.json")
code=
while :; do
    caught= now=0
    wait "$child" || now=$?
    [ "$now" = 127 ] && [ -n "$code" ] || code=$now
    [ -n "$caught" ] || break
done
trap '' TERM INT HUP
printf '%s\\n' "$code" >"$dir/.exitcode"
exec mv "$dir/.exitcode" "$dir/exitcode"
"""
"""Reads the prompt, runs the program, hands a TERM on to it, and writes the exit code last. A signal ends a `wait`
early with a code that is not the program's, so it waits once more after each; a shell that has told the code already
says 127 then. The TERM goes to the whole group that the runner leads: a program may have started itself once more, and
wait for that one without a thought of signals. What the runner does in its own cause is kept from it."""


def runner(directory: str, at_utc: str, program: str) -> tuple[str, ...]:
    """The words that run a turn; the prompt is in none of them."""
    return ("/bin/sh", "-c", RUNNER, "houmao-turn", directory, at_utc, program)


def script(
    manifest: JsonMap,
    provider: Provider,
    site: Site,
    host: Host,
    *,
    agent_def_dir: str,
    resume: Resume,
    model: ModelConfig | None,
) -> str:
    """A launch script for one turn, in the conversation that `resume` names.

    `model` goes over what the manifest chose. Raises ActionFailed (`build.*`).
    """
    backend = backend_of(provider.name, headless=True)
    request = LaunchPlanRequest(_with_model(manifest, model), RolePackage("", ""), backend, host.workdir)
    plan = launch.launch_plan(
        request, provider, host=host, resume=resume, pointers=pointers(provider, site, agent_def_dir)
    )
    return helper.launch_sh(start_of(plan, provider, site, host, headless=False))


def _with_model(manifest: JsonMap, model: ModelConfig | None) -> JsonMap:
    if model is None:
        return manifest
    found = model_selection.of_json(at(manifest, "runtime", "launch_contract", "model_selection"))
    direct = found.layers.get("direct_launch") or ModelConfig()
    level = model.reasoning_level if model.reasoning_level is not None else direct.reasoning_level
    layers: JsonMap = {name: model_selection.config_json(config) for name, config in found.layers.items()}
    layers["direct_launch"] = model_selection.config_json(ModelConfig(model.name or direct.name, level))
    runtime, contract = at(manifest, "runtime"), at(manifest, "runtime", "launch_contract")
    assert isinstance(runtime, dict)
    assert isinstance(contract, dict)
    selection: JsonMap = {"requested_layers": layers}
    return {**manifest, "runtime": {**runtime, "launch_contract": {**contract, "model_selection": selection}}}


def heard(provider: Provider, stdout: bytes) -> list[tuple[Heard, JsonMap]]:
    """Every event with the line it came from; a line that is no JSON object, or is not whole yet, says nothing."""
    found: list[tuple[Heard, JsonMap]] = []
    for line in stdout.split(b"\n")[:-1]:
        try:
            payload: Json = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(payload, dict):
            found += [(event, payload) for event in provider.heard(payload)]
    return found


def conversation(events: list[tuple[Heard, JsonMap]]) -> str:
    """The provider's session id, as the first event that names it has it."""
    return next((event.session for event, _ in events if event.session), "")


def canonical(provider: Provider, stdout: bytes, *, number: int, at_utc: str) -> list[JsonMap]:
    """The events in the keys of all providers (runtime-and-fleet-api §6.5)."""
    events = heard(provider, stdout)
    session = conversation(events)
    return [
        {
            "kind": event.kind.value,
            "message": event.message,
            "provider": provider.name,
            "provider_event_type": event.type,
            "session_id": event.session or session or None,
            "timestamp_utc": _timestamp(payload) or at_utc,
            "turn_index": number,
            "data": event.data,
            "raw_payload": payload,
        }
        for event, payload in events
    ]


def _timestamp(payload: JsonMap) -> str:
    found = payload.get("timestamp")
    return found if isinstance(found, str) else ""
