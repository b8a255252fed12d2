"""Running the graphs of stages as jobs of an engine, whichever it is."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.errors import StageError, UserError
from pipeline.imports import without_collection
from pipeline.progress import ProgressDisplay
from runners.engines import Started, engine_of
from runners.failures import cause_of
from runners.settings import EngineSettings, RunnerError
from transforms.parts import Workspace

if TYPE_CHECKING:
    from apache_beam import PTransform

LOG = "log.txt"


class Jobs:
    """An engine, which is started when its first job needs it.

    Args:
      settings: which one, and where it is.
      place: what to free or move where a disk is full.
    """

    def __init__(self, settings: EngineSettings, place: str) -> None:
        self._place = place
        self._engine = engine_of(settings)
        self._started: Started | None = None
        self._stack = ExitStack()

    @contextmanager
    def opened(self) -> Iterator[Jobs]:
        """The jobs, as long as the context lasts; raises `UserError` where they cannot run."""
        if problems := self._engine.problems():
            raise UserError("\n".join(problems))
        with self._stack:
            yield self

    def prepare(self, display: ProgressDisplay) -> None:
        """Starts the engine unless it is; raises `UserError`."""
        if self._started is None:
            # What goes wrong is said by us; Beam logs it several times over, and more at import.
            logging.getLogger().setLevel(logging.CRITICAL)

            def tell(line: str) -> None:
                if line:
                    display.say(f"{'':<11}  {line}")

            try:
                self._started = self._stack.enter_context(self._engine.started(tell))
            except RunnerError as error:
                raise UserError(str(error)) from error

    def run(
        self,
        stage: str,
        build_graph: Callable[[], PTransform[Any, Any]],
        workspace: Workspace,
        follow: Callable[[Callable[[], str]], None],
    ) -> None:
        """Runs the graph of a stage; ``follow`` gets what finds out where the engine shows it.

        ``build_graph`` is called once Beam may be imported.

        Raises:
          StageError: it failed; what its workers left behind says of what.
        """
        # Beam takes seconds to import, which a run that is up to date need not wait for.
        with without_collection():
            import apache_beam  # noqa: F401

            from transforms.stage import read_errors

        log = workspace.files.local(LOG)
        try:
            # Beam prints the trace of every failure on standard error, once for each worker.
            with (
                log.open("w", encoding="utf-8") as stream,
                contextlib.redirect_stderr(stream),
            ):
                self._run_graph(stage, build_graph, follow)
        except Exception as error:
            with (
                # A full disk may refuse this too, and is told all the same.
                contextlib.suppress(OSError),
                log.open("a", encoding="utf-8", errors="backslashreplace") as stream,
            ):
                traceback.print_exception(error, file=stream)
            kept = workspace.keep_local(LOG)
            raise self._stage_error(stage, kept, read_errors(workspace), error) from error

    def _run_graph(
        self,
        stage: str,
        build_graph: Callable[[], PTransform[Any, Any]],
        follow: Callable[[Callable[[], str]], None],
    ) -> None:
        import apache_beam as beam

        started = self._started
        if started is None:
            raise AssertionError("a job runs before its engine is prepared")
        job = f"repomill-{stage}"
        with without_collection():
            graph = build_graph()
        pipeline = beam.Pipeline(options=started.options(job))
        pipeline | stage.capitalize() >> graph
        result: Any = pipeline.run()
        try:
            follow(lambda: started.link(job))
            result.wait_until_finish()
        except BaseException:
            # Ctrl-C, too, must not leave a cluster at work on what nobody waits for.
            with contextlib.suppress(Exception):
                result.cancel()
            raise

    def _stage_error(
        self, stage: str, log: str, errors: Sequence[tuple[str, str]], error: Exception
    ) -> StageError:
        unit, text = errors[0] if errors else ("", str(error))
        # A unit's report begins with what went wrong.
        message = text.partition("\n")[0] if errors else cause_of(text) or type(error).__name__
        message = message.removeprefix("CrawlError: ").removeprefix("ValueError: ")
        if "No space left on device" in text or "Disk quota exceeded" in text:
            cure = f"Free some space on the disk of {self._place} and run the same command again"
            return StageError(f"stage {stage}: the disk is full. {cure}")
        where = f" on {unit}" if unit else ""
        return StageError(
            f"stage {stage} failed{where}: {message:.500}\n"
            f"The whole trace is in {log}; what was committed before is untouched"
        )
