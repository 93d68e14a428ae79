"""Do a run: read the platform page by page, merge each page with its checkpoint in one transaction."""
