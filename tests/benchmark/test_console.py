"""What a run says on the console: little, but progress, time left and errors."""

import logging

import pytest

from intae.benchmark.console import Console, in_words


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def record(event=None, level=logging.INFO, msg="", **fields):
    made = logging.LogRecord("snakemake.logging", level, "", 0, msg, None, None)
    made.__dict__ |= {"event": event, **fields}
    return made


@pytest.fixture
def run():
    """A run of 4 fits and 2 joins, one step at a time; a fit takes 100 s, a join 10."""
    clock = Clock()
    console = Console(clock)
    assert console.filter(record("run_info", stats={"train": 4, "join": 2, "total": 6}))

    def step(job, rule, seconds, **wildcards):
        shown = console.filter(record("job_info", jobid=job, rule_name=rule, wildcards=wildcards))
        clock.seconds += seconds
        return shown | console.filter(record("job_finished", job_id=job))

    return console, clock, step


def test_steps_are_not_told_one_by_one(run):
    console, _clock, step = run
    assert not step(1, "train", 100, method="pca")
    assert not console.filter(record(msg="Select jobs to execute..."))
    assert console.filter(record(msg="Nothing to be done"))
    assert console.filter(record(level=logging.WARNING, msg="Select jobs to execute..."))


def test_progress_is_told_now_and_then_and_at_the_end(run):
    console, _clock, step = run
    told = []
    for job in range(1, 7):
        step(job, "train", 4)
        told.append(console.filter(record("progress", done=job, total=6)))
    assert told == [False, False, True, False, False, True]


def test_the_time_left_follows_from_steps_of_the_same_rule(run):
    console, clock, step = run
    assert console.seconds_left() is None
    for job in (1, 2):
        step(job, "train", 100)
    step(3, "join", 10)
    assert console.seconds_left() == pytest.approx(210)
    console.filter(record("job_info", jobid=4, rule_name="train", wildcards={}))
    clock.seconds += 50
    assert console.seconds_left() == pytest.approx(160)
    assert console.progress(3, 6) == "3 of 6 steps in 4 min, about 3 min left (now: train)"


def test_what_failed_is_kept_with_its_reason(run, tmp_path):
    console, _clock, _step = run
    log = tmp_path / "train.log"
    log.write_text("at work\nError: X holds negative values\n\n")
    names = {"dataset": "own", "method": "pca", "seed": "0"}
    for _ in range(2):  # tried twice, it failed once
        console.filter(record("job_info", jobid=1, rule_name="train", wildcards=names))
        error = {"jobid": 1, "rule_name": "train", "log": [f"{log} (check log file)"]}
        assert console.filter(record("job_error", logging.ERROR, **error))
    row = {"step": "train", "why": "X holds negative values", "log": str(log)}
    assert console.failed == [names | row]


def test_durations_in_words():
    assert [in_words(s) for s in (5, 89, 600, 7200)] == ["5 s", "89 s", "10 min", "2.0 h"]
