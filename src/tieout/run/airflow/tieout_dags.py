"""The DAGs of a tieout project, for Airflow 2.11 and 3.

`tieout airflow export` wrote this file and `tieout_dags.json` beside it, which is the plan that it reads. Export again
instead of editing it. It imports nothing of tieout: each task calls tieout's command line in an environment of its own.

What a task loads is decided by tieout's own ledger. No command is given a date of Airflow's, so a run that is late,
repeated, or cleared does what is due, and nothing twice.
"""
# mypy: ignore-errors
# Airflow is in none of the environments in which the rest of the package is checked.

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import suppress
from datetime import timedelta
from functools import reduce
from operator import or_
from pathlib import Path

from airflow.providers.common.compat.sdk import (
    DAG,
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    Asset,
    BaseOperator,
    BaseSensorOperator,
    Param,
    timezone,
)

PLAN = json.loads(Path(__file__).with_name("tieout_dags.json").read_text(encoding="utf-8"))

OK, WRONG, PARTIAL, IDLE = 0, 2, 3, PLAN["idle"]
"""Exit codes: complete; a setting is wrong; cut short, not proven or behind a gate; nothing to do."""

SLICES_PAUSE = timedelta(minutes=1)
"""Between two slices of a backfill: whoever waits for the slot has it first."""
BACKFILL_MAX = timedelta(days=14)
TASK_MAX = timedelta(hours=24)
"""Longer than any task should last: a first read of large tables takes hours. A run that is ended goes on next time."""

STOP_SECONDS = 45
"""Airflow itself kills after 60."""
DOCUMENT_TOLD_MAX = 20_000
"""Characters of a document that the log shows."""


class Again(AirflowException):
    """The same command may succeed later: Airflow's retries."""


class Call:
    """One command of tieout as a process: its log goes to the task's log, its document comes back."""

    def __init__(self, log):
        self._log = log
        self._process = None

    def run(self, command, words=()):
        """Returns the exit code and the document."""
        line = [*PLAN["command"], *command, "--project", PLAN["folder"], "--json", *words]
        self._log.info("%s", line)
        with tempfile.TemporaryFile() as out:
            # In a session of its own: Airflow ends its group hard, and tieout is asked first.
            self._process = subprocess.Popen(line, stdout=out, stderr=subprocess.PIPE, start_new_session=True)
            for told in self._process.stderr:
                self._log.info("%s", told.decode(errors="backslashreplace").rstrip())
            code = self._process.wait()
            out.seek(0)
            text = out.read().decode(errors="backslashreplace")
        self._log.info("exit %s: %s", code, text.strip()[:DOCUMENT_TOLD_MAX])
        try:
            return code, json.loads(text)
        except ValueError:
            return code, {}

    def stop(self):
        """tieout takes this as a wish: the step in hand ends, and the lane is given back."""
        if self._process is not None:
            self._process.terminate()
            # What it still logs fits into the pipe. One that takes longer ends by itself, or loses nothing.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)


def given(params, options, operand=None):
    """What was typed, as words of a command line, which no shell ever reads. What stands behind `--`, and the value of
    an option, cannot be taken for an option."""
    words = []
    for option, name in options.items():
        value = params[name]
        if value is True:
            words.append(option)
        elif value is not None and value is not False and value != "":
            words.append(f"{option}={value}")
    return [*words, "--", str(params[operand])] if operand else words


def reasons(said):
    """Why a command did not end well, as its document says it."""
    if "error" in said:
        return f"{said['error']['message']} {said['error']['hint']}".strip()
    told = []
    for one in [*said.get("lanes", ()), *said.get("streams", ()), *said.get("uncertified", ())]:
        if one.get("outcome", one.get("state")) == "complete":
            continue
        why = [one.get("reason", ""), *one.get("reasons", ()), one.get("hint", ""), differences(one)]
        told.append(f"{one.get('lane', one.get('stream'))}: {' '.join(filter(None, why))}")
    told += [f"{one['model']}: {one.get('why', '')}" for one in said.get("models", ()) if one["state"] == "failed"]
    told += [f"{one['test']}: {one.get('why', '')}" for one in said.get("failed", ()) if one["blocks"]]
    told += [f"gate {name} is closed: {why}" for name, why in closed(said).items()]
    return "; ".join(told)


def differences(stream):
    kinds = [f"{stream[kind]} {kind}" for kind in ("missing", "ghost", "stale", "diverged") if stream.get(kind)]
    return f"({', '.join(kinds)})" if kinds else ""


def closed(said):
    """Gate -> what closes it, of the gates that kept a mart as it is."""
    return {
        one["gate"]: " ".join(f"{why['stream']}: {why['why']} {why['hint']}" for why in one["closed_by"])
        for one in said.get("closed", ())
    }


def is_kept_by_gates_alone(said):
    is_built = all(one["state"] == "built" for one in said.get("models", ()))
    return bool(said.get("closed")) and is_built and not any(one["blocks"] for one in said["failed"])


class Tieout(BaseOperator):
    """One command. How it ended decides the task: a wrong setting is not retried, and nothing to do is skipped."""

    def __init__(self, *, command, options=None, operand=None, **kwargs):
        super().__init__(**kwargs)
        self.command = command
        self.options = options or {}
        self.operand = operand
        self.call = None

    def execute(self, context):
        self.call = Call(self.log)
        code, said = self.call.run(self.command, given(context["params"], self.options, self.operand))
        return self.ended(code, said)

    def ended(self, code, said):
        """What the task hands on. Raises what Airflow is to make of any other end."""
        if code == IDLE:
            raise AirflowSkipException("There was nothing to do.")
        if code != OK:
            why = f"{self.command[0]}: exit {code}: {reasons(said)}"
            raise AirflowFailException(why) if self.is_final(code, said) else Again(why)

    def is_final(self, code, said):
        """Whether the same command would come to the same."""
        return code == WRONG

    def on_kill(self):
        if self.call is not None:
            self.call.stop()


class Run(Tieout):
    """Works a lane. Where rows were merged it succeeds, whatever held up the rest, so that what follows them is
    triggered; `Complete` behind it fails then, with the reason."""

    def ended(self, code, said):
        if code not in (OK, IDLE) and any(lane["merged"] for lane in said.get("lanes", ())):
            return f"{self.command[0]}: exit {code}: {reasons(said)}"
        return super().ended(code, said)


class Complete(BaseOperator):
    """Fails where a run merged some rows and was not complete. The next run does what is left."""

    def execute(self, context):
        why = context["ti"].xcom_pull(task_ids="run")
        if why is not None:
            raise AirflowFailException(why)


class Certify(Tieout):
    """Fails where something differs: to compare again would find the same. A source that is away is asked again."""

    def is_final(self, code, said):
        return code == WRONG or (code == PARTIAL and "error" not in said)


class Build(Certify):
    """Builds the marts. A closed gate fails nothing: it keeps its mart as it is, which is what it is for."""

    def ended(self, code, said):
        models = said.get("models", ())
        if not (code == PARTIAL and is_kept_by_gates_alone(said)):
            super().ended(code, said)
        for gate, why in closed(said).items():
            self.log.warning("the gate %s is closed, and its mart stays as it is: %s", gate, why)
        if not models:
            raise AirflowSkipException(reasons(said) or "Nothing had moved.")
        return {"built": [one["model"] for one in models], "closed": closed(said)}


class Mart(BaseOperator):
    """Stands for one mart: succeeds when it was built, so that what follows it is triggered by new figures alone."""

    def __init__(self, *, gate, **kwargs):
        super().__init__(**kwargs)
        self.gate = gate

    def execute(self, context):
        told = context["ti"].xcom_pull(task_ids="build")
        if self.gate in told["closed"]:
            raise AirflowSkipException(f"Its gate is closed: {told['closed'][self.gate]}")
        if self.gate not in told["built"]:
            raise AirflowSkipException("It was not built: nothing of it had moved.")


class Ask(Tieout):
    """Enters the wish for a backfill; hands on its id."""

    def ended(self, code, said):
        super().ended(code, said)
        return said["id"]


class Read(BaseSensorOperator):
    """Works a backfill, a slice at a time, and leaves the slot to others between them. Whoever else has the lane works
    it too, so the book is asked how it stands, and not the slice."""

    def __init__(self, *, command, options, watch, **kwargs):
        super().__init__(mode="reschedule", poke_interval=SLICES_PAUSE.total_seconds(), **kwargs)
        self.command = command
        self.options = options
        self.watch = watch
        self.call = None

    def poke(self, context):
        self.call = Call(self.log)
        code, said = self.call.run(self.command, given(context["params"], self.options))
        if code == WRONG:
            raise AirflowFailException(f"{self.command[0]}: exit {code}: {reasons(said)}")
        if code not in (OK, IDLE, PARTIAL):
            raise Again(f"{self.command[0]}: exit {code}: {reasons(said)}")
        return self.is_done(context["ti"].xcom_pull(task_ids="ask"), context["params"])

    def is_done(self, backfill, params):
        code, said = self.call.run(self.watch, [f"--stream={params['stream']}"])
        if code != OK:
            raise Again(f"{self.watch[0]}: exit {code}: {reasons(said)}")
        found = next((one for one in said["backfills"] if one["id"] == backfill), None)
        if found is None:
            raise AirflowFailException(f"The ledger does not know backfill {backfill} any more: ask for it again.")
        if found["state"] in ("failed", "cancelled"):
            raise AirflowFailException(f"backfill {backfill} {found['state']}: {found['reason']}")
        self.log.info("backfill %s: %s rows of about %s", backfill, found["rows"], found["rows_expected"])
        return found["state"] == "done"

    def on_kill(self):
        if self.call is not None:
            self.call.stop()


KINDS = {
    "run": Run, "complete": Complete, "certify": Certify, "model": Build, "mart": Mart, "ask": Ask, "read": Read,
}  # fmt: skip


def schedule_of(told):
    if told is None:
        return None
    if "assets" in told:
        return reduce(or_, [Asset(name) for name in told["assets"]])
    return told["cron"] if "cron" in told else timedelta(seconds=told["every_seconds"])


def task_of(told):
    kind = told["kind"]
    chosen = {name: told[name] for name in ("command", "options", "operand", "watch", "gate", "pool") if name in told}
    if "weight" in told:
        chosen |= {"priority_weight": told["weight"], "weight_rule": "absolute"}
    if kind == "read":
        chosen |= {"timeout": BACKFILL_MAX.total_seconds()}
    return KINDS[kind](
        task_id=told["task"],
        outlets=[Asset(name) for name in told.get("outlets", ())],
        execution_timeout=TASK_MAX,
        retries=2,
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=True,
        **chosen,
    )


def dag_of(told):
    made = DAG(
        dag_id=told["dag"],
        description=told["about"],
        schedule=schedule_of(told["schedule"]),
        # A schedule has to begin somewhere. Runs that were missed are not made up for: the next one does what is due.
        start_date=timezone.datetime(2024, 1, 1),
        catchup=False,
        max_active_runs=told["runs_max"],
        params={name: Param(**form) for name, form in told.get("params", {}).items()},
        tags=["tieout", PLAN["project"]],
    )
    with made:
        tasks = {one["task"]: task_of(one) for one in told["tasks"]}
        for one in told["tasks"]:
            if "after" in one:
                tasks[one["after"]] >> tasks[one["task"]]
    return made


for one in PLAN["dags"]:
    globals()[one["dag"]] = dag_of(one)
