"""A TCP relay that can be cut, mended and slowed: how a server goes away without stopping it for others."""

import socket
import threading
import time
from contextlib import suppress


class Relay:
    """Forwards a port of its own to another one, while it is open."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: set[socket.socket] = set()
        self._stalled: set[socket.socket] = set()
        self._is_open = threading.Event()
        self.delay = 0.0  # seconds that whatever passes takes, each way
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        """Let connections through."""
        self._is_open.set()

    def cut(self) -> None:
        """Drop what is connected, and refuse what comes."""
        self._is_open.clear()
        for end in list(self._ends):
            _shut(end)

    def stall(self) -> None:
        """What is connected stays so, but hears nothing more: half-open. What comes is served."""
        self._stalled |= self._ends

    def close(self) -> None:
        """End it for good."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):  # the server is down
            if not self._is_open.is_set():
                return
            with socket.create_connection(self._target) as server:
                self._ends |= {client, server}
                back = threading.Thread(target=self._forward, args=(server, client), daemon=True)
                back.start()
                self._forward(client, server)
                back.join()
                self._ends -= {client, server}

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # cut
            while data := source.recv(65_536):
                if self.delay:
                    time.sleep(self.delay)
                if source not in self._stalled:
                    target.sendall(data)
        for end in (source, target):
            _shut(end)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):  # it was shut already
        end.shutdown(socket.SHUT_RDWR)
