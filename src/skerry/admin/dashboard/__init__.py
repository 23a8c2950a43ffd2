"""The operator's pages in a browser: they show what the admin API answers and pass on what somebody asks for.

A page has no way of its own to the node. Whatever it shows or does is a request to the API (`node_requests`), made within the
process in the name of whoever is logged in; so roles, audit log and errors are those of the API, and a button that is not shown
is refused as well when somebody presses it by other means. What to show is decided in modules that know no browser
(`*_facts`, `document_difference`, `history`, `wording`); those with NiceGUI calls (`*_page`, `frame`) only put it in place.

NiceGUI keeps its state in one object of the process: one node of a process can have a dashboard, once.
"""
