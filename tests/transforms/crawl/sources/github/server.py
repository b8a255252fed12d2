"""A server that answers like the REST API: recorded answers, filled with repositories."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

FOLDER = Path(__file__).parent
TEMPLATE = (FOLDER / "repository.json").read_text()
REFUSALS: dict[str, Any] = json.loads((FOLDER / "refusals.json").read_text())
PREFIX = "/api/v3"


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    status: int
    token: str | None


@dataclass
class Recorded:
    """One answer that is given instead of the right one."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    declared_bytes: int | None = None
    chunk_delay: float = 0.0


def refusal(name: str, **headers: str) -> Recorded:
    recorded = REFUSALS[name]
    text = recorded["body"]
    body = text if isinstance(text, str) else json.dumps(text)
    return Recorded(recorded["status"], recorded["headers"] | headers, body.encode())


@dataclass
class GithubServer:
    port: int = 0
    site: str = ""
    repositories: list[dict[str, Any]] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    instead: dict[str, list[Recorded]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    incomplete: int = 0
    max_seconds_of_a_search: int | None = None

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def add(self, name: str, **properties: Any) -> dict[str, Any]:
        owner, _, short = name.partition("/")
        text = TEMPLATE.replace("OWNER", owner).replace('"NAME"', f'"{short}"')
        text = re.sub(r"/NAME\b", f"/{short}", text)
        site = self.site or f"http://127.0.0.1:{self.port}"
        repository = json.loads(text.replace("API", self.api).replace("SITE", site)) | properties
        repository["id"] = len(self.repositories) + 1
        self.repositories.append(repository)
        return repository

    def precede(self, path: str, *answers: Recorded) -> None:
        """Gives these answers at a path before the right ones."""
        self.instead.setdefault(path, []).extend(answers)

    def count(self, status: int = 200) -> int:
        return sum(1 for each in self.asked if each.status == status)

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        parts = path.strip("/").split("/")
        match parts:
            case ["orgs" | "users" as kind, owner, "repos"]:
                if owner in self.moved:
                    target = f"{self.api}/{kind}/{self.moved[owner]}/repos"
                    return 301, {"Location": target}, {"message": "Moved Permanently"}
                found = [each for each in self.repositories if each["owner"]["login"] == owner]
                if not found:
                    return 404, {}, REFUSALS["not_found"]["body"]
                return self.page(path, query, sorted(found, key=lambda each: each["full_name"]))
            case ["search", "repositories"]:
                return self.search(path, query)
            case ["repos", owner, short]:
                name = f"{owner}/{short}"
                if name in self.moved:
                    target = f"{self.api}/repositories/{self.moved[name]}"
                    return 301, {"Location": target}, {"message": "Moved Permanently"}
                found = [each for each in self.repositories if each["full_name"] == name]
            case ["repositories", number]:
                found = [each for each in self.repositories if str(each["id"]) == number]
            case _:
                found = []
        return (200, {}, found[0]) if found else (404, {}, REFUSALS["not_found"]["body"])

    def page(self, path, query, found):
        number, size = int(query.get("page", 1)), int(query.get("per_page", 30))
        headers = {}
        if number * size < len(found):
            after = urlencode(query | {"page": str(number + 1)})
            headers["Link"] = f'<{self.api}{path}?{after}>; rel="next", <{self.api}>; rel="last"'
        return 200, headers, found[(number - 1) * size : number * size]

    def search(self, path, query):
        words = query["q"].split()
        found = [each for each in self.repositories if not each["private"]]
        if "fork:true" not in words:
            found = [each for each in found if not each["fork"]]
        if "archived:false" in words:
            found = [each for each in found if not each["archived"]]
        seconds = None
        for word in words:
            if word.startswith("created:"):
                low, _, high = word.removeprefix("created:").partition("..")
                found = [each for each in found if low <= each["created_at"] <= high]
                first, last = (datetime.datetime.fromisoformat(text) for text in (low, high))
                seconds = (last - first).total_seconds()
        limit = self.max_seconds_of_a_search
        is_slow = limit is not None and (seconds is None or seconds > limit)
        is_incomplete = is_slow or self.incomplete > 0
        self.incomplete = max(0, self.incomplete - 1)
        if int(query["page"]) * int(query["per_page"]) > 1000:
            return 422, {}, {"message": "Only the first 1000 search results are available"}
        status, headers, items = self.page(path, query, found[:1000])
        if is_incomplete:
            items = items[:1]
        total = len(found)
        return (
            status,
            headers,
            {"total_count": total, "incomplete_results": is_incomplete, "items": items},
        )


@contextlib.contextmanager
def github_server(server: GithubServer):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            address = urlsplit(self.path)
            path = address.path.removeprefix(PREFIX)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            recorded = server.instead.get(path) or server.instead.get("*")
            if recorded:
                answer = recorded.pop(0)
            else:
                status, headers, body = server.answer(path, query)
                data = json.dumps(body).encode()
                etag = f'W/"{hashlib.sha256(data).hexdigest()}"'
                if status == 200 and self.headers.get("If-None-Match") == etag:
                    status, data = 304, b""
                tag = {"ETag": etag} if status in (200, 304) else {}
                answer = Recorded(status, headers | tag | server.headers, data)
            server.asked.append(
                Asked(path, query, answer.status, self.headers.get("Authorization"))
            )
            self.reply(answer)

        def reply(self, answer):
            if "Date" in answer.headers:
                self.send_response_only(answer.status)
            else:
                self.send_response(answer.status)
            length = len(answer.body) if answer.declared_bytes is None else answer.declared_bytes
            declared = {} if answer.status == 304 else {"Content-Length": str(length)}
            for name, value in (declared | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                step = 16 if answer.chunk_delay else len(answer.body) or 1
                for start in range(0, len(answer.body), step):
                    self.wfile.write(answer.body[start : start + step])
                    time.sleep(answer.chunk_delay)
            if answer.declared_bytes is not None:
                self.close_connection = True

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.port = http.server_address[1]
        thread = Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
