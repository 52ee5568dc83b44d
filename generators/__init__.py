"""Who writes: one engine a file, one function of the file's name.

An engine is an async context manager `engine(model, *, revision=None, **options)` that yields a `Generate`:
`async (Request) -> Reply`. Options go to the library's own arguments. A request that gets no reply raises
RequestFailed; an engine that cannot go on raises EngineError. Calls may come by the thousand at once: an
engine queues for itself. What is lost because an engine died fails as `engine_died`, and is asked again.
"""
