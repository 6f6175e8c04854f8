"""The no-op for Celery on a Redis broker (BROKER). Late acknowledgement, so that a job is kept until it has run."""

import os

from celery import Celery

app = Celery("bench", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=64,
    broker_connection_retry_on_startup=True,
)


@app.task(name="noop", ignore_result=True)
def noop(event):
    return event


@app.task(name="noop_told")
def noop_told(event):
    return event
