"""The operator's view over HTTP: reads the state of a node and passes orders on; holds none itself.

A node without an admin API imports only `monitor` and `watch`, which need no web framework. Rules: every answer but Prometheus'
and the event stream has the envelope of `responses`; every route but `/healthz` and `/readyz` needs a token (`gate`), and one
that changes something needs the role that it names; whoever changes something is in the audit log.
"""
