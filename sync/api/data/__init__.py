"""The data that was copied: lists to filter, order, page through and export; days of the past to ask for."""
