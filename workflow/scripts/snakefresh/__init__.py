"""Makes Snakemake run exactly what is stale, by what each job executed and read. See README.md."""

__version__ = "1.0"
__all__ = ["RecordError", "recorded", "watch"]


def __getattr__(name):
    """Import what is asked for, and no more: importing `recorded` begins the trace of a job."""
    if name == "watch":
        from snakefresh.watch import watch as found
    elif name == "recorded":
        from snakefresh.jobs import recorded as found
    elif name == "RecordError":
        from snakefresh.records import RecordError as found
    else:
        raise AttributeError(f"module 'snakefresh' has no attribute {name!r}")
    globals()[name] = found
    return found
