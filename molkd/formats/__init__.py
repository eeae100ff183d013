"""Files of items in, files of embeddings out: one format per file, all of them streamed.

Reading items starts at `molkd.formats.readers.read`, writing embeddings at
`molkd.formats.writers.WRITERS`; `molkd.formats.embeddings.read` reads them back.
"""
