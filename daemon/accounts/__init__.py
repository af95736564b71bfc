"""Who may call: keys of programs, accounts of people, and what was asked once already.

These records cannot be made again from the folders; they lie in `daemon.kept`. `types` and
`tokens` are pure, and are imported without a database; `store.Accounts` is the door to the rest.
"""
