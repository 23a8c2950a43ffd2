"""The reference tables of the documents, made from the registries of the code.

A page says where a table belongs with a pair of comments, and everything between them is written here:

    <!-- begin generated: error codes -->
    <!-- end generated -->

`python -m tools.reference` renews every page; a test fails when one is not current.
"""
