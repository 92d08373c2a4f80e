"""`spec.retry` as the runner reads it: how often, how fast, and for how long in all."""

from reconciler.engine.retry import BASE_S, CAP_S, TRIES, policy_of


def test_without_a_word_the_defaults_hold() -> None:
    assert policy_of(None, TRIES) == (TRIES, BASE_S, CAP_S, None)


def test_every_word_counts() -> None:
    spec = {"retry": {"limit": 1, "base": 500, "max": 2_000, "timeout": 3_000}}
    assert policy_of(spec, TRIES) == (2, 0.5, 2.0, 3.0)


def test_a_limit_of_none_is_one_try_and_no_limit_is_what_one_run_makes() -> None:
    assert policy_of({"retry": {"limit": 0}}, TRIES).tries == 1
    assert policy_of({"retry": {"limit": -1}}, TRIES).tries == TRIES
