"""A hostile outside: an issuer's key set at /keys, and for every other request a refusal that repeats all of it."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER, AUDIENCE = "https://idp.example", "fieldgate-admin"
KEY, STRANGER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        if self.path == "/keys":
            key = {**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "one", "alg": "ES256"}
            self._say(200, {"keys": [key]})
            return
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode("latin-1")
        said = f"refused: {self.path} {dict(self.headers)} {sent}"
        status = 403 if self.path.startswith("/v1/") else 400
        self._say(status, {"errors": [said], "__type": "AccessDeniedException", "message": said})

    def _say(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def outside() -> Iterator[str]:
    """Its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def assertion(person: str, *, right: bool = True, **claims: Any) -> str:
    """A JWT; a wrong one has somebody else's signature."""
    now = int(time.time())
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": person, "iat": now, "exp": now + 300, **claims}
    return jwt.encode(said, KEY if right else STRANGER, algorithm="ES256", headers={"kid": "one"})
