"""The models, one concern per module."""

from sync.models.account import Account, ApiToken, Membership, Plan
from sync.models.attempt import SyncAttempt
from sync.models.catalog import Ad, AdGroup, Campaign, Change, Entity, SeenIds
from sync.models.connection import Connection
from sync.models.credential import Credential
from sync.models.drift import Drift
from sync.models.google import GoogleProject, OperationCount
from sync.models.insight import Insight, InsightDay
from sync.models.intervention import Intervention
from sync.models.limit import CallLimit, OutsideCalls
from sync.models.pulse import Pulse
from sync.models.queue import KindLimit, Lane, Queue, queue_name
from sync.models.request import JoinedRequest, SyncRequest
from sync.models.run import DeadLetter, SyncRun
from sync.models.statistic import CountedDay, DailyStatistic
from sync.models.unknown import UnknownCode

__all__ = [
    "Account",
    "Ad",
    "AdGroup",
    "ApiToken",
    "CallLimit",
    "Campaign",
    "Change",
    "Connection",
    "CountedDay",
    "Credential",
    "DailyStatistic",
    "DeadLetter",
    "Drift",
    "Entity",
    "GoogleProject",
    "Insight",
    "InsightDay",
    "Intervention",
    "JoinedRequest",
    "KindLimit",
    "Lane",
    "Membership",
    "OperationCount",
    "OutsideCalls",
    "Plan",
    "Pulse",
    "Queue",
    "SeenIds",
    "SyncAttempt",
    "SyncRequest",
    "SyncRun",
    "UnknownCode",
    "queue_name",
]
