"""Meta's effective status: an entity's own status, seen through its parents'."""

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity

STATUSES = ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED")
CAMPAIGN_STATUSES = (*STATUSES, "IN_PROCESS", "WITH_ISSUES")
AD_SET_STATUSES = (*CAMPAIGN_STATUSES, "CAMPAIGN_PAUSED")
AD_STATUSES = (
    *AD_SET_STATUSES,
    "ADSET_PAUSED",
    "PENDING_REVIEW",
    "DISAPPROVED",
    "PREAPPROVED",
    "PENDING_BILLING_INFO",
)
HIDDEN = frozenset({"ARCHIVED", "DELETED"})  # left out of a listing that does not ask for them


def effective_status(entity: Entity) -> str:
    """Deleting or archiving a parent implies its children; pausing it pauses those that would run."""
    match entity:
        case Campaign():
            return _live(entity) or entity.review or "ACTIVE"
        case AdGroup():
            return _gone(entity.campaign) or _live(entity) or _paused(entity.campaign) or "ACTIVE"
        case Ad():
            campaign, group = entity.group.campaign, entity.group
            return (
                _gone(campaign)
                or _gone(group)
                or _live(entity)
                or _paused(campaign)
                or ("ADSET_PAUSED" if group.status == "PAUSED" else "")
                or entity.review
                or "ACTIVE"
            )


def _live(entity: Entity) -> str:
    """The entity's own status where it decides."""
    return "" if entity.status == "ACTIVE" else entity.status


def _gone(parent: Campaign | AdGroup) -> str:
    return parent.status if parent.status in HIDDEN else ""


def _paused(campaign: Campaign) -> str:
    return "CAMPAIGN_PAUSED" if campaign.status == "PAUSED" else ""
