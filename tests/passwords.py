"""What a password costs in tests: by design it takes a quarter of a second, and they are many."""

from argon2 import PasswordHasher

from daemon.accounts import passwords

STRONG = passwords._HASHER
WEAK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
