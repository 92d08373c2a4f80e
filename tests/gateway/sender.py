"""One sender of the chaos: `python -m tests.gateway.sender ORDER`, whose outcomes are lines on stdout.

ORDER is a JSON file: the session roots to send to, what the prompts are called, how many, a seed. Half of them go in
the queue, half are typed while the sender waits. Every prompt ends as one line: its text, the root, and `delivered`,
`undelivered` or `unknown`.
"""

import json
import random
import sys
import time
from pathlib import Path

from reconciler.adapters.gateway_local import LocalGateways
from reconciler.ports.gateway import NoReply, Reply, Running

PATIENCE_S = 240.0
SETTLED = {"completed": "delivered", "unknown": "unknown", "failed": "undelivered", "blocked": "undelivered"}


class Sender:
    """Sends and remembers nothing but the request it is at."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.random = random.Random(seed)
        self.gateways = LocalGateways((sys.executable,))
        self.number = 0

    def new_id(self) -> str:
        return f"gwreq-20260101-000000Z-{self.random.getrandbits(32):08x}"

    def gateway(self, root: str) -> Running | None:
        found = self.gateways.seen([root])[root]
        return found if isinstance(found, Running) else None

    def call(self, root: str, run: Running, method: str, path: str, body: object, asked: str) -> Reply | NoReply:
        token = (Path(root) / "gateway/token").read_text().strip()
        return self.gateways.call(
            (run.host, run.port),
            method,
            path,
            body,  # type: ignore[arg-type]
            token=token,
            headers={"X-Houmao-Request-Id": asked},
            timeout_s=30.0,
        )

    def send(self, root: str, text: str, *, queued: bool) -> str:
        """Until something is certain, or nothing ever will be."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            run = self.gateway(root)
            if run is None:
                time.sleep(0.05)
                continue
            asked = self.new_id()
            if queued:
                path, body = "/v1/requests", {"kind": "submit_prompt", "payload": {"prompt": text}}
            else:
                path, body = "/v1/control/prompt", {"prompt": text}
            reply = self.call(root, run, "POST", path, body, asked)
            if isinstance(reply, Reply) and reply.status == 200 and not queued:
                return "delivered"
            if isinstance(reply, Reply) and reply.status != 200:
                detail = json.loads(reply.body)["detail"]
                code = detail.get("error_code") if isinstance(detail, dict) else ""
                if code == "delivery_unknown":
                    return "unknown"
                time.sleep(0.05)  # refused: certainly not typed
                continue
            if isinstance(reply, NoReply) and not reply.sent:
                continue
            became = self.outcome(root, asked, run, end)
            if became != "never begun":
                return became
        return "undelivered"

    def outcome(self, root: str, asked: str, before: Running, end: float) -> str:
        """What a gateway, this one or the next, says of a request."""
        while time.monotonic() < end:
            run = self.gateway(root)
            if run is not None:
                reply = self.call(root, run, "GET", f"/v1/requests/{asked}", None, asked)
                if isinstance(reply, Reply) and reply.status == 200:
                    became = SETTLED.get(json.loads(reply.body)["state"])
                    if became is not None:
                        return became
                elif isinstance(reply, Reply) and reply.status == 404 and run.pid != before.pid:
                    return "never begun"
            time.sleep(0.05)
        return "unsettled"


def main(words: list[str]) -> int:
    order = json.loads(Path(words[0]).read_text())
    sender = Sender(order["name"], order["seed"])
    for number in range(order["count"]):
        root = sender.random.choice(order["roots"])
        text = f"{order['name']}-{number}"
        became = sender.send(root, text, queued=number % 2 == 0)
        sys.stdout.write(json.dumps({"text": text, "root": root, "became": became}) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
