"""docs/sources.md: its example of a source works, and its configurations are valid."""

import re
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from pipeline.configuration import Configuration
from schemas.failures import Reason
from transforms.crawl.registry import ENTRY_POINTS, known_sources
from transforms.crawl.repository import crawl_repository
from transforms.crawl.source import CrawlError, Limits, Place, Source

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"


def block(language):
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return text


def test_the_configuration_is_valid_and_shows_every_source():
    body = yaml.safe_load(block("yaml"))
    kinds = [entry.kind for entry in Configuration.model_validate(body).sources]
    assert sorted(kinds) == sorted(known_sources())


def test_every_source_has_a_line_in_the_table():
    kinds = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE.read_text(), re.M)))
    assert sorted(kinds) == sorted(known_sources())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path == "/tools/hello.py"
        self.send_response(200 if found else 404)
        self.send_header("ETag", '"7"')
        self.end_headers()
        self.wfile.write(b"print('hello')\n" if found else b"")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def address():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_example_is_a_source(address, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    text = block("python")
    assert len([line for line in text.splitlines() if line.strip()]) <= 30
    scope = {}
    exec(text, scope)
    source = scope["ScriptSource"]
    assert issubclass(source, Source)
    urls = [f"http://{address}/tools/hello.py", f"http://{address}/tools/missing.py"]
    place, limits = Place(tmp_path, tmp_path), Limits()
    good, bad = source(urls=urls).requests(place)
    assert good.repository == f"{address}/tools/hello.py"
    crawled = crawl_repository(good, source.fetch(good, place, limits), ["python"], limits)
    assert [(file.path, file.content) for file in crawled.files] == [
        ("hello.py", b"print('hello')\n")
    ]
    with pytest.raises(CrawlError) as caught:
        source.fetch(bad, place, limits)
    assert caught.value.reason is Reason.UNREACHABLE


def test_the_entry_point_is_in_the_group_that_is_read():
    groups = tomllib.loads(block("toml"))["project"]["entry-points"]
    assert groups == {ENTRY_POINTS: {"script": "my_package.scripts:ScriptSource"}}
