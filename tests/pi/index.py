"""An index of Debian's packages that fits itself, where a mirror serves one that does not.

A mirror that caches can have a newer list of checksums than of packages. Then debootstrap refuses,
for what it reads is not what was signed. For a machine on which only tests run, the older list will
do: it gets checksums of its own, which nobody signed. The packages still come from the mirror.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MIRROR = "http://deb.debian.org/debian"


@contextlib.contextmanager
def own_index(release: str, architecture: str) -> Iterator[str]:
    """Serves an index for debootstrap's `--no-check-gpg`; gives its address."""
    name = f"main/binary-{architecture}/Packages.xz"
    with urllib.request.urlopen(f"{MIRROR}/dists/{release}/{name}") as answer:
        packages = answer.read()
    digest = f"{hashlib.sha256(packages).hexdigest()} {len(packages)} {name}"
    fields = {"Codename": release, "Components": "main", "Architectures": architecture}
    text = "".join(f"{key}: {value}\n" for key, value in fields.items()) + f"SHA256:\n {digest}\n"
    files = {f"/dists/{release}/Release": text.encode(), f"/dists/{release}/{name}": packages}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if content := files.get(self.path):
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            elif self.path.startswith("/pool/"):
                self.send_response(302)
                self.send_header("Location", MIRROR + self.path)
                self.end_headers()
            else:
                self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
