"""Proofs and privileges, no sockets and no storage."""
