"""The way to a platform: what the environment says of proxies and certificates, and connections that end."""

import base64
import gzip
import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from providers.errors import Unreachable
from providers.http import send
from providers.session import Session
from tests.integration.scripted_server import Reply, Script, scripted_server


@pytest.fixture
def server() -> Iterator[Script]:
    with scripted_server() as script:
        script.answers({})
        yield script


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, vouched for by itself, with its key in the same file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "company.pem"
    path.write_bytes(made.public_bytes(pem) + private)
    return path


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[Script]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with scripted_server(context) as script:
        script.answers({"data": [1]})
        yield script


def test_a_proxy_of_the_environment_is_used_but_for_hosts_that_are_excepted(
    server: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, server.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    session = Session()

    for url in ("http://graph.example", server.url, "http://graph.example"):
        send(session, "Meta", "GET", f"{url}/me", params={"fields": "id,name"}).json()

    path = "/me?fields=id%2Cname"
    assert server.paths == [f"http://graph.example{path}", path, f"http://graph.example{path}"]


def test_a_proxy_is_told_its_password_and_nobody_else(
    server: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_password = server.url.replace("://", "://somebody:secret@")
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, with_password)

    send(Session(), "Meta", "GET", "http://graph.example/me").json()

    told = base64.b64encode(b"somebody:secret").decode()
    assert server.headers[0]["proxy-authorization"] == f"Basic {told}"
    assert "secret" not in server.paths[0]


def test_certificates_of_the_environment_are_used(
    encrypted: Script, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    session = Session()

    answers = [send(session, "Meta", "GET", f"{encrypted.url}/me").json() for _ in range(2)]

    assert answers == [{"data": [1]}] * 2
    assert len(encrypted.connections) == 1


def test_who_can_not_show_who_he_is_is_told_nothing(
    encrypted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(Unreachable):
        send(Session(), "Meta", "GET", f"{encrypted.url}/me", token="secret")

    assert encrypted.paths == []


def test_a_body_may_be_packed(server: Script) -> None:
    packed = gzip.compress(b'{"data": [1]}')
    server.answers(Reply(packed, headers={"Content-Encoding": "gzip"}))

    assert send(Session(), "Meta", "GET", server.url).json() == {"data": [1]}
    assert "gzip" in server.headers[0]["accept-encoding"]


def test_a_body_that_would_fill_the_memory_is_not_read_to_its_end(
    server: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.http.BODY_BYTES", 100_000)
    packed = gzip.compress(b"[" + b" " * 10_000_000 + os.urandom(500_000))  # more than one read takes
    server.answers(Reply(packed, headers={"Content-Encoding": "gzip"}), {})
    session = Session()

    with pytest.raises(Unreachable, match="too long"):
        send(session, "Meta", "GET", server.url).json()

    assert send(session, "Meta", "GET", server.url).json() == {}
    assert len(server.connections) == 2  # of the first one nobody knows what is left in it


def test_a_connection_that_the_platform_closed_is_opened_anew(server: Script) -> None:
    server.answers(Reply({}, closes=True))
    session = Session()

    for _ in range(2):
        send(session, "Meta", "GET", server.url).json()
        assert server.closed.wait(5)
        server.closed.clear()

    assert len(server.connections) == 2


def test_what_no_header_can_carry_is_not_sent_and_not_told(server: Script) -> None:
    with pytest.raises(Unreachable) as caught:
        send(Session(), "Google", "GET", server.url, headers={"developer-token": "secret\nX: y"})

    assert server.paths == []
    assert "secret" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_an_address_that_is_none_is_not_reached() -> None:
    for url in ("", "graph", "http://", "http://[::1", "ftp://graph.example"):
        with pytest.raises(Unreachable):
            send(Session(), "Meta", "GET", url)
