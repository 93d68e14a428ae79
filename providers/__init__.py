"""The platforms' clients, their budgets and the sandbox: plain Python, no Django, no Celery."""
