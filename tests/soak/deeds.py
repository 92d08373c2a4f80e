"""What people, programs and bad luck do to a fleet during a soak; each deed is drawn by a seed and counted."""

import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random

from reconciler.model.errors import ReconcilerError
from tests.soak.ground import Ground, Program

NAMES = ("alice", "bob", "carol", "dora", "erin")
HEADER = "apiVersion: houmao/v1alpha1\n"


class Source:
    """What is declared: an author's side of it. Members and names change, the whole is always valid but on order."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.agents = {name: name for name in NAMES[:4]}
        """Place in the fleet to the name it has now: a renamed one keeps its place."""
        self.members = 2
        self.prompts = 0
        self.moves: dict[str, str] = {}
        self.file = "fleet.yaml"
        self.write()

    @property
    def expected(self) -> set[str]:
        """Who must run when all is as declared."""
        return {*self.agents.values(), *(f"crew-{number}" for number in range(self.members))}

    def write(self, *, broken: bool = False) -> None:
        """The fleet, as its author saves it: written aside and renamed into place."""
        source = self._ground.world.source
        source.mkdir(exist_ok=True)
        (source / "prompts").mkdir(exist_ok=True)
        (source / "prompts/coder.md").write_text(f"You write code, {self.prompts}.\n")
        documents = [
            "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, promptFile: prompts/coder.md}",
            "kind: Specialist\nmetadata: {name: tester}\nspec: {provider: echo, prompt: You test.}",
            f"kind: InstanceSet\nmetadata: {{name: crew}}\nspec: {{replicas: {self.members}, "
            "template: {specialistRef: tester}}",
            *(
                f"kind: Instance\nmetadata: {{name: {name}}}\nspec: {{specialistRef: coder}}"
                for name in self.agents.values()
            ),
            *(f"kind: Moved\nspec: {{from: Instance/{old}, to: Instance/{new}}}" for old, new in self.moves.items()),
        ]
        text = "\n---\n".join(HEADER + document for document in documents) + "\n"
        aside = source / ".saving"
        aside.write_text(text[: len(text) // 2] + "\n{{{" if broken else text)
        aside.rename(source / self.file)

    def rename_file(self) -> None:
        """The same under another name."""
        other = "team.yaml" if self.file == "fleet.yaml" else "fleet.yaml"
        (self._ground.world.source / self.file).rename(self._ground.world.source / other)
        self.file = other

    def repair(self) -> None:
        """Save it again, with room on the disk."""
        for path in self._ground.world.source.glob("*.yaml"):
            if path.name != self.file:
                path.unlink()
        self.write()


class Deeds:
    """Everything that happens, one deed at a time."""

    def __init__(self, ground: Ground, source: Source, draw: Random) -> None:
        self.ground = ground
        self.source = source
        self.draw = draw
        self.done: Counter[str] = Counter()
        self.watch: Program | None = None
        self.shell: Program | None = None
        self._renamed = 0
        self._every: list[Callable[[], object]] = [
            self.kill_process, self.kill_process, self.kill_session, self.kill_session, self.rename_session,
            self.edit_record, self.corrupt_record, self.remove_record, self.remove_home, self.edit_prompt,
            self.scale, self.take_back_or_add, self.rename_agent, self.break_source, self.rename_file, self.fill_disk,
            self.fill_disk, self.kill_watch, self.stop_watch, self.kill_a_shell,
        ]  # fmt: skip

    def one(self, quiet: threading.Event) -> None:
        """Draw one and do it; what cannot be done at this moment is not done."""
        deed = self.draw.choice(self._every)
        self._pause = quiet
        with suppress(ReconcilerError, AssertionError, OSError, KeyError, ValueError, IndexError):
            if deed() is not False:
                self.done[deed.__name__] += 1

    # To agents

    def _agent(self) -> str:
        return self.draw.choice(sorted(self.ground.world.running))

    def kill_process(self) -> None:
        os.kill(self.ground.world.session_of(self._agent()).pid, signal.SIGKILL)

    def kill_session(self) -> None:
        self.ground.world.tmux("kill-session", "-t", self.ground.world.session_of(self._agent()).session_id)

    def rename_session(self) -> None:
        self._renamed += 1
        pane = self.ground.world.session_of(self._agent())
        self.ground.world.tmux("rename-session", "-t", pane.session_id, f"by-hand-{self._renamed}")

    def edit_record(self) -> None:
        self.ground.world.edit_record_of(self._agent())

    def corrupt_record(self) -> None:
        self.ground.world.corrupt_record_of(self._agent())

    def remove_record(self) -> None:
        self.ground.world.remove_record_of(self._agent())

    def remove_home(self) -> None:
        shutil.rmtree(self.ground.world.home_of(self._agent()), ignore_errors=True)

    # To the source

    def edit_prompt(self) -> None:
        self.source.prompts += 1
        self.source.write()

    def scale(self) -> None:
        self.source.members = self.draw.randint(0, 3)
        self.source.write()

    def take_back_or_add(self) -> None:
        place = self.draw.choice(NAMES)
        if self.source.agents.pop(place, None) is None:
            self.source.agents[place] = place
        self.source.moves = {}
        self.source.write()

    def rename_agent(self) -> None:
        place = self.draw.choice(sorted(self.source.agents))
        old = self.source.agents[place]
        self._renamed += 1
        self.source.agents[place] = f"{place}-{self._renamed}"
        self.source.moves = {old: self.source.agents[place]}
        self.source.write()

    def break_source(self) -> None:
        self.source.write(broken=True)
        self._pause.wait(self.draw.uniform(0.5, 3))
        self.source.write()

    def rename_file(self) -> None:
        self.source.rename_file()

    # To the disk and to programs

    def fill_disk(self) -> None:
        self.ground.fill()
        self._pause.wait(self.draw.uniform(1, 5))
        self.ground.free()

    def kill_watch(self) -> bool:
        watch = self.watch
        if watch is None or not watch.running:
            return False
        watch.tell(signal.SIGKILL)
        self.ground.ended(watch)
        self.start_watch()
        return True

    def stop_watch(self) -> bool:
        watch = self.watch
        if watch is None or not watch.running:
            return False
        watch.tell(signal.SIGSTOP)
        self._pause.wait(self.draw.uniform(0.5, 4))
        watch.tell(signal.SIGCONT)
        return True

    def kill_a_shell(self) -> bool:
        shell = self.shell
        if shell is None or not shell.running:
            return False
        shell.tell(signal.SIGKILL)
        return True

    def start_watch(self) -> None:
        """`houmao watch`, as somebody leaves it running."""
        self.watch = self.ground.start("watch", "--interval", "10s", "--lock-timeout", "60s", source=True)

    def end_watch(self) -> None:
        """SIGTERM; it finishes what it began."""
        watch, self.watch = self.watch, None
        if watch is None:
            return
        if not watch.running:
            self.done["watch ended by itself"] += 1
        watch.tell(signal.SIGCONT)
        watch.tell(signal.SIGTERM)
        self.ground.ended(watch)

    # In shells

    def verb(self, draw: Random) -> Program:
        """What somebody types."""
        lock = ("--lock-timeout", draw.choice(("0s", "2s", "10s")), "--yes", "--no-wait")
        name = draw.choice([*self.source.agents.values(), *NAMES])
        match draw.randrange(8):
            case 0 | 1 | 2:
                prune = ("--prune", "--prune-limit", "9") if draw.random() < 0.5 else ()
                return self.ground.start("apply", *prune, *lock, source=True)
            case 3:
                return self.ground.start("stop", name, draw.choice(("--override=3s", "--override=1h")), *lock)
            case 4:
                return self.ground.start("relaunch", name, *lock)
            case 5:
                return self.ground.start("release", name, *lock)
            case 6:
                return self.ground.start("plan", source=True)
            case _:
                return self.ground.start("get", "instances")
