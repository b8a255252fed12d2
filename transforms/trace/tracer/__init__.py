"""The tracer: one file for the environment of a project, on the standard library from 3.8."""

from transforms.trace.tracer.bundle import MODULE, PTH, tracer_files, tracer_source

__all__ = ["MODULE", "PTH", "tracer_files", "tracer_source"]
