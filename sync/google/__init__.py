"""The operations that Google lets a project make in any 24 hours: counted, shared, planned, watched."""
