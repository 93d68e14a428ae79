"""A separate server that imitates Meta's Graph API and Google Ads' REST API on the wire.

It has its own world, quotas and faults, and referees the product's budgets. The clients know it only
as another base URL. Not for anything that real accounts depend on.
"""
