"""Files of molecules in, files of embeddings out: one format per file, all of them streamed.

Reading starts at `molkd.formats.readers.read`, writing at `molkd.formats.writers.writer_for`.
"""
