"""The headless face: one turn as JSON lines on stdout."""

from __future__ import annotations

import json
import os

from .answer import Agent, TurnFailed


def headless(agent: Agent, prompt: str) -> int:
    """One turn as JSON lines on stdout; the texts of the tokens, joined, are the text of the result."""

    def emit(**event: object) -> None:
        data = (json.dumps(event) + "\n").encode("ascii")
        while data:
            data = data[os.write(1, data) :]

    agent.start()
    talk = agent.conversation
    emit(type="session", id=talk.id, turns=talk.turns, model=agent.model, api_key=agent.api_key)
    text, failed = "", ""
    try:
        for part in agent.answer(prompt):
            if isinstance(part, float):
                agent.wait(part)
                continue
            token = "\n" + part if text else part
            text += token
            emit(type="token", text=token)
        emit(type="result", ok=True, text=text)
    except TurnFailed as error:
        failed = str(error)
        emit(type="error", text=failed)
    agent.finished()
    return 1 if failed else 0
