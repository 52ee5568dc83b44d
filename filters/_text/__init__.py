"""What several filters share about one text: its words, characters, numbers and prose.

Everything here takes polars Series or Python strings and knows no filter. Read in this order:

    words.py            the text of a column, and its words (ICU's dictionaries where no space separates
                        them); spellings that look alike become one; the text without code and citations
    characters.py       texts as arrays of code points, and tables that say what a code point is
    hashing.py          hashes of texts and of slices of arrays
    code_points.py      words, sentences and lines of many texts as hashes, for filters that count repetitions
    scripts.py          letters of each script, and marks that end a sentence
    numbers.py          numbers in any digits; arithmetic.py works out sums in running text
    phrases.py          tables of phrases, such as refusals, as regular expressions
    verdicts.py         verdicts of rules that no polars expression can state
    language_limits.py  limits and frequent words of each language, from quality.csv and stopwords.csv
"""
