"""The application: what is synced, the ledger of runs, the engine, and the ways in."""
