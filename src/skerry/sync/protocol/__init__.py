"""Every decision of the sync protocol, pure: no socket, no store, no clock, no thread.

Contents are compared by hash (`content_hash`), None standing for "no document"; whole documents appear only where two versions
have to be merged. Who calls does what the answers say, each local consequence in one transaction of the store.
"""
