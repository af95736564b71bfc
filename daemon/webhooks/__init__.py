"""Webhooks: who is told that a job has ended, signed, until they have heard it or it is too late.

The receipt of a job is what counts (docs/decisions/0011-webhooks-follow-receipts.md): deliveries
are made from receipts, so that no crash loses one.
"""
