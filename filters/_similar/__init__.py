"""What several filters share about similar texts: earlier rows, references, repetitions.

Read in this order:

    shingles.py     a text as the set of its runs of three words; minhash.py: sketches and keys of such sets
    embeddings.py   a text as a vector; hyperplanes.py: sketches and keys of vectors
    history.py      judges row after row by the keys of the rows that were kept before
    passages.py     runs of words that a text shares with a reference; references.py: benchmarks and datasets
    ngrams.py       runs of words that a text repeats
"""
