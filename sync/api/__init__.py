"""The HTTP API: views validate, call one function and answer; errors become one shape in `errors.py`."""
