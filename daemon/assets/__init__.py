"""Assets: rows of the catalog and bytes of the storage, kept together."""
