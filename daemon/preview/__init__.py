"""The live preview: a local page that plays a timeline while its spec is being written."""
