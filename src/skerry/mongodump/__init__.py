"""What `mongodump` writes and `mongorestore` reads, in both of its forms: one archive, or a directory of files.

`archive` and `metadata` are the bytes, without files; `dump_directory` is the other form; `restore` and `dump` move
documents between them and any server, through pymongo.
"""
