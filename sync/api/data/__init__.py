"""The data that was copied: lists to filter, order, page through and export. Only reading."""
