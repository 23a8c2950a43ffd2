"""Proofs and privileges: who somebody is, and what he may do. No sockets and no storage."""
