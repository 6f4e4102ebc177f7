"""The environments that models are learnt in: ready tasks, and what a task of one's own is made of."""

from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.task import Task

__all__ = ["Scheduled", "Task"]
