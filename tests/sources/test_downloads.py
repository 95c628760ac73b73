"""Downloads against a server on this machine that behaves badly."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from blocked import run_without

from intae.sources import downloads as module
from intae.sources.downloads import Download, FetchError, fetch, geo

BODY = b"gene expression\n" * 5000
SHA256 = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answer by path; `server.hits` counts requests a path."""

    def do_GET(self):
        hits = self.server.hits
        hits[self.path] = hits.get(self.path, 0) + 1
        self.server.agents.append(self.headers["User-Agent"])
        action = self.path.strip("/")
        if action.isdigit():
            return self.send_error(int(action))
        if action == "redirect":
            self.send_response(302)
            self.send_header("Location", "/good")
            return self.end_headers()
        if action == "flaky" and hits[self.path] < 3:
            return self.send_error(503)
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if action == "stall":
            self.wfile.write(BODY[:100])
            threading.Event().wait(2)  # time.sleep is patched away
        elif action == "cut":
            self.wfile.write(BODY[:5000])
        elif action == "wrong":
            self.wfile.write(BODY[::-1])
        else:
            self.wfile.write(BODY)

    def log_message(self, *args):
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.hits, server.agents = {}, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Retry at once: the pauses between tries are pooch's, not what is tested."""
    pause = time.sleep
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: pause(0))


def url(server, *actions):
    return [f"http://127.0.0.1:{server.server_port}/{action}" for action in actions]


@pytest.mark.parametrize("action", ["good", "redirect", "flaky"])
def test_a_file_arrives_whole(server, tmp_path, action):
    path = tmp_path / "folder" / "file.txt"
    assert fetch("file.txt", url(server, action), path, sha256=SHA256) == url(server, action)[0]
    assert path.read_bytes() == BODY
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]
    assert all(agent.startswith("Mozilla/5.0") for agent in server.agents)


@pytest.mark.parametrize("action", ["403", "404", "500", "cut", "wrong", "stall"])
def test_a_bad_answer_leaves_nothing_and_names_the_way_out(server, tmp_path, action):
    path = tmp_path / "file.txt"
    with pytest.raises(FetchError) as error:
        fetch("file.txt", url(server, action), path, sha256=SHA256, timeout=0.3)
    message = str(error.value)
    assert url(server, action)[0] in message
    assert f"put it at {path}" in message and "INTAE_MIRROR" in message
    assert list(tmp_path.iterdir()) == []
    assert server.hits[f"/{action}"] == module.RETRIES + 1


def test_a_cut_file_is_refused_even_without_a_checksum(server, tmp_path):
    with pytest.raises(FetchError):
        fetch("file.txt", url(server, "cut"), tmp_path / "file.txt")
    assert list(tmp_path.iterdir()) == []


def test_addresses_are_tried_in_order(server, tmp_path):
    path = tmp_path / "file.txt"
    used = fetch("file.txt", url(server, "404", "wrong", "good"), path, sha256=SHA256)
    assert used == url(server, "good")[0]
    assert path.read_bytes() == BODY


def test_the_mirror_comes_first(server, tmp_path):
    mirror = tmp_path / "mirror" / "sub"
    mirror.mkdir(parents=True)
    (mirror / "file.txt").write_bytes(BODY)
    before = sum(server.hits.values())
    path = tmp_path / "file.txt"
    fetch("file.txt", url(server, "good"), path, sha256=SHA256, mirror=tmp_path / "mirror")
    assert path.read_bytes() == BODY
    assert sum(server.hits.values()) == before


def test_a_wrong_file_in_the_mirror_is_refused(tmp_path):
    (tmp_path / "file.txt").write_bytes(BODY[1:])
    with pytest.raises(FetchError, match="not the file it should be"):
        fetch("file.txt", [], tmp_path / "out.txt", sha256=SHA256, mirror=tmp_path)
    assert not (tmp_path / "out.txt").exists()


def test_no_address_and_no_mirror(tmp_path):
    with pytest.raises(FetchError, match="no address is known"):
        fetch("file.txt", [], tmp_path / "out.txt")


def test_fetching_needs_pooch_and_little_else(server, tmp_path):
    code = (
        "import sys; from intae.sources.downloads import fetch; "
        f"fetch('file.txt', [sys.argv[1]], sys.argv[2], sha256={SHA256!r})"
    )
    heavy = ("numpy", "pandas", "scipy", "anndata", "scanpy", "h5py", "sklearn", "torch")
    path = tmp_path / "file.txt"
    done = run_without(heavy, code, *url(server, "good"), str(path))
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == BODY


@pytest.mark.parametrize(
    ("accession", "folder"),
    [("GSE63472", "series/GSE63nnn/GSE63472"), ("GSM4475048", "samples/GSM4475nnn/GSM4475048")],
)
def test_addresses_at_geo(accession, folder):
    address = f"https://ftp.ncbi.nlm.nih.gov/geo/{folder}/suppl/x.h5"
    assert geo(accession, "x.h5", "abc") == Download("x.h5", (address,), "abc")
