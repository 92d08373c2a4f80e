"""What anybody may rely on of a registry, asked of the one on disk and of the one in memory alike."""

import json
from datetime import timedelta

import pytest

from reconciler.model.json import JsonMap, digest_bytes
from reconciler.ports.registry import BadRecord, OwnershipConflict, Record, RecordRefused, Records, RecordText, Scan
from tests.adapters.registry.world import OTHER, UID, Shelf, body, stopped

DAY = timedelta(days=1).total_seconds()


def record(shelf: Shelf, agent_id: str = "alice") -> Record:
    found = shelf.registry.scan().records[agent_id]
    assert isinstance(found, Record), found
    return found


def bad(shelf: Shelf, agent_id: str = "alice") -> str:
    found = shelf.registry.scan().records[agent_id]
    assert isinstance(found, BadRecord), found
    return found.why


def test_a_registry_that_nobody_has_used_is_empty(shelf: Shelf) -> None:
    assert shelf.registry.scan() == Scan()


def test_what_was_published_is_found(shelf: Shelf) -> None:
    shelf.registry.publish("bob", body("bob"))
    shelf.registry.publish("alice", body())
    assert list(shelf.registry.scan().records) == ["alice", "bob"]
    assert record(shelf).body == body()
    assert record(shelf).owner["uid"] == UID


def test_a_record_reads_well_for_people_and_diffs(shelf: Shelf) -> None:
    shelf.registry.publish("alice", body())
    text = shelf.text("alice") or ""
    assert json.loads(text) == body()
    assert [line.split(":")[0] for line in text.splitlines()] == ["{", *(f'  "{name}"' for name in sorted(body())), "}"]


def test_what_was_published_is_known_again_by_its_digest(shelf: Shelf) -> None:
    first = shelf.registry.publish("alice", body())
    assert shelf.registry.scan().records.digests() == {"alice": first}
    assert record(shelf).digest == first == digest_bytes((shelf.text("alice") or "").encode())
    second = shelf.registry.publish("alice", stopped())
    assert shelf.registry.scan().records.digests() == {"alice": second}
    assert second != first
    shelf.put("alice", json.dumps(body()))
    assert record(shelf).body == body()
    assert record(shelf).digest not in (first, second)


def test_a_copy_of_a_record_has_its_digest_but_not_its_id(shelf: Shelf) -> None:
    published = shelf.registry.publish("alice", body())
    shelf.put("bob", shelf.text("alice") or "")
    shelf.put("carol", "{")
    shelf.put_link("dave")
    digests = shelf.registry.scan().records.digests()
    assert digests == {"alice": published, "bob": published, "carol": digest_bytes(b"{")}
    assert "its directory is 'bob'" in bad(shelf, "bob")


def test_a_record_is_parsed_when_it_is_asked_for_and_once() -> None:
    judged: list[str] = []

    class Watched(RecordText):
        def _judge(self, text: bytes) -> Record | BadRecord:
            judged.append(self.agent_id)
            return super()._judge(text)

    texts = {agent_id: Watched(agent_id, json.dumps(body(agent_id)).encode(), None) for agent_id in ("alice", "bob")}
    records = Records(texts)
    assert (list(records), len(records), "alice" in records) == (["alice", "bob"], 2, True)
    assert list(records.digests()) == ["alice", "bob"]
    assert judged == []
    assert records["bob"] is records["bob"]
    assert judged == ["bob"]


def test_an_owner_writes_over_itself(shelf: Shelf) -> None:
    shelf.registry.publish("alice", body())
    shelf.registry.publish("alice", stopped())
    assert record(shelf).body == stopped()


@pytest.mark.parametrize("state", ["active", "relaunching"])
def test_nobody_writes_over_a_live_agent_of_another(shelf: Shelf, state: str) -> None:
    lifecycle = {**body()["lifecycle"], "state": state}  # type: ignore[dict-item]
    shelf.registry.publish("alice", body(uid=OTHER, lifecycle=lifecycle))
    with pytest.raises(OwnershipConflict) as refused:
        shelf.registry.publish("alice", body())
    assert (refused.value.code, refused.value.exit_code) == ("ownership.record", 6)
    assert record(shelf).owner["uid"] == OTHER


def test_nobody_writes_over_a_live_agent_that_nobody_manages(shelf: Shelf) -> None:
    foreign = body()
    del foreign["owner"]
    shelf.put("alice", json.dumps(foreign))
    with pytest.raises(OwnershipConflict, match="nobody manages"):
        shelf.registry.publish("alice", body())
    assert not shelf.registry.remove("alice", UID)
    assert not shelf.registry.remove("alice", "")
    assert record(shelf).owner == {}


@pytest.mark.parametrize("there", [stopped(uid=OTHER), None])
def test_a_stopped_record_or_a_broken_one_may_be_written_over(shelf: Shelf, there: JsonMap | None) -> None:
    shelf.put("alice", json.dumps(there) if there else '{"agent_id": ')
    shelf.registry.publish("alice", body())
    assert record(shelf).owner["uid"] == UID


def test_a_lease_that_has_passed_guards_nothing(shelf: Shelf) -> None:
    liveness = {"published_at": "2026-01-01T00:00:00Z", "lease_expires_at": "2026-01-02T00:00:00Z"}
    shelf.registry.publish("alice", body(uid=OTHER, liveness=dict(liveness)))
    with pytest.raises(OwnershipConflict):
        shelf.registry.publish("alice", body())
    shelf.clock.advance(2 * DAY)
    shelf.registry.publish("alice", body())
    with pytest.raises(RecordRefused, match="has passed"):
        shelf.registry.publish("alice", body(liveness=dict(liveness)))
    assert record(shelf).body == body()


@pytest.mark.parametrize("agent_id", ["../alice", "a/b", "..", ".", "", ".hidden", "a b", "-a", "a\0", "ä", "a\n"])
def test_an_id_that_is_no_plain_name_is_refused(shelf: Shelf, agent_id: str) -> None:
    with pytest.raises(RecordRefused) as refused:
        shelf.registry.publish(agent_id, body(agent_id))
    assert refused.value.code == "registry.bad_id"
    with pytest.raises(RecordRefused):
        shelf.registry.remove(agent_id, UID)
    assert shelf.registry.scan().records == {}


def test_what_other_readers_would_choke_on_is_not_published(shelf: Shelf) -> None:
    ownerless = body()
    del ownerless["owner"]
    for broken in (body("bob"), body(extra=1), body(liveness=None), ownerless, {}):
        with pytest.raises(RecordRefused) as refused:
            shelf.registry.publish("alice", broken)
        assert refused.value.code == "registry.invalid"
    assert shelf.registry.scan().records == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON object"),
        ("[]", "no JSON object"),
        ("[" * 100_000, "no JSON object"),
        ("{", "no JSON object"),
        ("{}", "agent_name"),
        (json.dumps(body("bob")), "agent_id is 'bob', its directory is 'alice'"),
        (json.dumps(body(schema_version=4)), "schema_version must be 3"),
        (json.dumps(body(owner=[])), "owner must be an object"),
        (json.dumps(body(surprise=True)), "surprise is not part of the schema"),
    ],
)
def test_one_broken_record_harms_nobody_else(shelf: Shelf, text: str, why: str) -> None:
    shelf.registry.publish("bob", body("bob"))
    shelf.put("alice", text)
    assert why in bad(shelf)
    assert record(shelf, "bob").body == body("bob")


def test_a_live_agent_of_a_newer_program_is_left_alone_though_nobody_here_can_read_it(shelf: Shelf) -> None:
    newer = body(uid=OTHER, schema_version=4, surprise=True)
    shelf.put("alice", json.dumps(newer))
    assert "surprise" in bad(shelf)
    with pytest.raises(OwnershipConflict):
        shelf.registry.publish("alice", body())
    assert not shelf.registry.remove("alice", UID)
    assert shelf.text("alice") == json.dumps(newer)


def test_a_link_in_the_place_of_a_record_is_not_followed_but_replaced(shelf: Shelf) -> None:
    shelf.put_link("alice")
    assert "symbolic link" in bad(shelf)
    shelf.registry.publish("alice", body())
    assert record(shelf).body == body()


def test_an_owner_removes_its_record_and_nobody_elses(shelf: Shelf) -> None:
    shelf.registry.publish("alice", body())
    assert not shelf.registry.remove("alice", OTHER)
    assert record(shelf).body == body()
    assert shelf.registry.remove("alice", UID)
    assert not shelf.registry.remove("alice", UID)
    assert shelf.registry.scan().records == {}


def test_what_nobody_can_read_may_be_removed(shelf: Shelf) -> None:
    shelf.put("alice", "{")
    shelf.put_link("bob")
    assert shelf.registry.remove("alice", UID)
    assert shelf.registry.remove("bob", UID)
    assert shelf.registry.scan().records == {}


def test_an_edit_by_hand_is_seen_at_once(shelf: Shelf) -> None:
    shelf.registry.publish("alice", body())
    for name in ("one", "two", "six"):
        shelf.put("alice", json.dumps(body(agent_name=name)))
        assert record(shelf).body["agent_name"] == name


def test_an_older_record_is_read_as_the_active_one_it_means(shelf: Shelf) -> None:
    older = body(published_at="2026-01-01T00:00:00Z", lease_expires_at="2026-06-01T00:00:00Z")
    for key in ("schema_version", "lifecycle", "liveness", "owner"):
        del older[key]
    older["terminal"] = {"kind": "tmux", "session_name": "HOUMAO-alice"}
    shelf.put("alice", json.dumps(older))
    found = record(shelf).body
    assert found["schema_version"] == 3
    assert found["lifecycle"]["state"] == "active"  # type: ignore[index, call-overload]
    assert found["terminal"]["current_session_name"] == "HOUMAO-alice"  # type: ignore[index, call-overload]
